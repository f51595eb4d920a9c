/** What a model refuses with: the message is the code. Nothing of what was asked has happened. */
export class Refused extends Error {
  override readonly name = 'Refused';
}
