// `types: []` hides Node's globals from this folder on purpose. Libraries that mention Buffer must
// still type-check, and a Buffer is a Uint8Array.
interface Buffer extends Uint8Array {}
