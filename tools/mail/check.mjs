// What html-validate and caniemail say about finished pages, all of them at once: starting takes longer than checking.
//
// In: {"name": "html", …} on standard input. Out: {"faults": {name: ["rule, line: message", …]}, "unsupported":
// {feature: ["client", …]}}: of every page what html-validate finds, and every feature of HTML and CSS that the pages
// use and that some mail program does not know, or not wholly, with the programs.
import { text } from 'node:stream/consumers';
import { HtmlValidate } from 'html-validate';
import { caniemail } from 'caniemail';

const validator = new HtmlValidate({
  root: true,
  extends: ['html-validate:recommended'],
  rules: {
    // A mail is written for Outlook and Gmail, with what the web has left behind.
    'attribute-allowed-values': 'off',
    'doctype-style': 'off',
    'no-conditional-comment': 'off',
    'no-deprecated-attr': 'off',
    'no-inline-style': 'off',
    'void-style': 'off',
    'prefer-native-element': 'off', // mail programs put an element of theirs in the place of <article>
    'long-title': ['error', { maxlength: 78 }], // the title is the subject, and that has its own limit
  },
});

// caniemail stops at a feature on which it has no word about some program: that one knows it as little as we do.
const UNTOLD = /^Feature "(.+)" not found on "(.+)"\.$/;

function unsupportedIn(html) {
  const untold = [];
  for (;;) {
    const clients = ['*', ...untold.map(([, client]) => `!${client}`)];
    try {
      const { issues } = caniemail({ clients, html });
      const told = [...issues.errors, ...issues.warnings];
      return [...untold, ...told.flatMap(([client, found]) => found.map(({ title }) => [title, client]))];
    } catch (error) {
      const named = UNTOLD.exec(error.message);
      if (!named) throw error;
      untold.push([named[1], named[2]]);
    }
  }
}

const pages = JSON.parse(await text(process.stdin));
const faults = {};
const unsupported = {};
for (const [name, html] of Object.entries(pages)) {
  const { results } = await validator.validateString(html, name);
  const messages = results.flatMap((result) => result.messages);
  faults[name] = messages.map(({ ruleId, line, message }) => `${ruleId}, line ${line}: ${message}`);
  for (const [title, client] of unsupportedIn(html)) (unsupported[title] ??= new Set()).add(client);
}
const sorted = Object.entries(unsupported).map(([title, clients]) => [title, [...clients].sort()]);
process.stdout.write(JSON.stringify({ faults, unsupported: Object.fromEntries(sorted) }));
