"""The week to an issue: choose items, render them once, check what a reader would get."""
