// Compile the MJML on standard input with npm's mjml 5, for comparison with mrml; the HTML goes to standard output.
import { text } from 'node:stream/consumers';
import mjml from 'mjml';

// Without fonts, as digest/compose/mjml.py has it: the default ones link to a font host.
const { html } = await mjml(await text(process.stdin), { validationLevel: 'skip', fonts: {}, keepComments: false });
process.stdout.write(html);
