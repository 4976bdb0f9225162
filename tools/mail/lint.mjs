// Validate MJML templates: node lint.mjs FILE...; a line for each fault, and 1 as the exit code if there is one.
//
// npm's mjml 5 in its strict mode knows which elements and attributes there are, what may stand in what, and which
// values an attribute takes; mrml, which renders our mails, accepts nearly anything. MJML knows nothing of Jinja.
// Blocks and statements are no trouble, since they stand in mj-raw and mj-text, whose content it leaves alone. An
// expression in an attribute is: `align="{{ issue.start }}"` is none of left, right, center and justify. So each
// attribute with an expression gets a value of its own kind for the time of the check.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import mjml from 'mjml';
import { components } from 'mjml-core';

const INCLUDE = /^\s*\{% include '([^']+)' %\}\s*$/;
const START_TAG = /<(mj[\w-]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/g;
const EXPRESSION_ATTRIBUTE = /([\w-]+)=("[^"]*\{[{%][^"]*"|'[^']*\{[{%][^']*')/g;

// mrml computes with widths when it compiles, and drops those that are no numbers without a word.
const COMPUTED = 'width';

function specimen(element, attribute) {
  const kind = components[element]?.allowedAttributes?.[attribute] ?? 'string';
  if (kind.startsWith('enum')) return kind.slice('enum('.length).split(/[,)]/)[0];
  if (kind.startsWith('unit')) return '1px';
  return { boolean: 'true', color: '#000000', integer: '1' }[kind] ?? 'specimen';
}

function withoutExpressions(source) {
  return source.replace(START_TAG, (tag, element, attributes) => {
    const plain = attributes.replace(EXPRESSION_ATTRIBUTE, (whole, attribute, value) => {
      const breaks = '\n'.repeat(value.split('\n').length - 1); // what follows keeps its line number
      return attribute === COMPUTED ? whole : `${attribute}="${specimen(element, attribute)}"${breaks}`;
    });
    return `<${element}${plain}>`;
  });
}

// Parts that templates share are spliced in before MJML runs, as `digest` does. Each line keeps its file and number.
function linesOf(path) {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.flatMap((text, index) => {
    const part = INCLUDE.exec(text);
    return part ? linesOf(join(dirname(dirname(path)), part[1])) : [{ text, where: `${path} line ${index + 1}` }];
  });
}

async function faults(path) {
  let lines = [];
  try {
    lines = linesOf(path);
    const source = lines.map(({ text }) => text).join('\n');
    await mjml(withoutExpressions(source), { validationLevel: 'strict', fonts: {} });
    return [];
  } catch (error) {
    if (!error.errors) return [`${path}: ${error.message}`];
    return error.errors.map(({ line, tagName, message }) => `${lines[line - 1].where}: <${tagName}> ${message}`);
  }
}

const paths = process.argv.slice(2);
if (!paths.length) {
  console.error('lint.mjs: name the MJML files to check, such as templates/email/*/body.mjml');
  process.exit(2);
}
const found = (await Promise.all(paths.map(faults))).flat();
found.forEach((fault) => console.log(fault));
process.exitCode = found.length ? 1 : 0;
