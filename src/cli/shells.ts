/**
 * Scripts that complete a program's commands and options. Each walks over the words before the cursor to
 * the command that they name, past the values of options, and offers what may follow there. Where it
 * offers nothing, the shell offers files.
 */

export interface Place {
  /** The words of a command, each after a space; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly Flag[];
  /** What its arguments may be, where that is known. */
  readonly choices: readonly string[];
}

interface Flag {
  /** With their dashes. */
  readonly flags: readonly string[];
  readonly description: string;
  /** The next word is its value. */
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

type Script = (program: string, places: readonly Place[]) => string;

export type Shell = 'bash' | 'zsh' | 'fish';

export const SHELLS: Readonly<Record<Shell, Script>> = {
  bash: (program, places) => `# Completes ${program} in bash.\n${bash(program, places)}`,
  // It has the functions of bash's completion, as a part of its own.
  zsh: (program, places) => `# Completes ${program} in zsh.
type compdef >/dev/null 2>&1 || { autoload -Uz compinit && compinit; }
autoload -Uz bashcompinit && bashcompinit
${bash(program, places)}`,
  fish,
};

/** In single quotes, which both understand; of descriptions nothing but text is left. */
const quoted = (text: string): string => `'${text.replaceAll(/['\\]/g, '\u2019')}'`;
const words = (all: readonly string[]): string => quoted(all.join(' '));

function valuesOf(places: readonly Place[]): readonly { at: string; choices: readonly string[] }[] {
  return places.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .flatMap(({ flags, choices }) => flags.map((flag) => ({ at: `${path} ${flag}`, choices }))),
  );
}

/** Every command by its path. */
const pathsOf = (places: readonly Place[]): readonly string[] =>
  places.map(({ path }) => path).filter((path) => path !== '');

// ---------------------------------------------------------------------------------------------- bash

function bash(program: string, places: readonly Place[]): string {
  /** What is done in any of these cases. */
  const where = (cases: readonly string[], done: string): string =>
    cases.length === 0 ? '' : `    ${cases.map(quoted).join('|')}) ${done} ;;\n`;
  const values = valuesOf(places);
  const chosen = values.filter(({ choices }) => choices.length > 0);
  const free = values.filter(({ choices }) => choices.length === 0);
  const offers = places.map(({ path, commands, options, choices }) => {
    const names = [...commands.map(({ name }) => name), ...choices];
    const flags = options.flatMap((option) => option.flags);
    return where([path], `words=${words(names)} flags=${words(flags)}`);
  });
  return `_${program}() {
  local word at place='' words='' flags=''
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  for (( at = 1; at < COMP_CWORD; at++ )); do
    word="\${COMP_WORDS[at]}"
    case "$place $word" in
${where(pathsOf(places), 'place="$place $word"')}${where(
    values.map(({ at }) => at),
    '(( at++ ))',
  )}    esac
  done
  case "$place" in
${offers.join('')}  esac
  [[ "$current" == -* ]] && words="$flags"
  case "$place $before" in
${chosen.map(({ at, choices }) => where([at], `words=${words(choices)}`)).join('')}${where(
    free.map(({ at }) => at),
    "words=''",
  )}  esac
  COMPREPLY=( $(compgen -W "$words" -- "$current") )
}
complete -o default -F _${program} ${program}`;
}

// ---------------------------------------------------------------------------------------------- fish

function fish(program: string, places: readonly Place[]): string {
  const each = (all: readonly string[]): string => all.map(quoted).join(' ');
  const lines = places.flatMap((place) => {
    const at = `complete -c ${program} -n "__${program}_is ${quoted(place.path)}"`;
    const offered = [
      ...place.commands,
      ...place.choices.map((name) => ({ name, description: '' })),
    ].map(({ name, description }) => `${at} -f -a ${quoted(name)} -d ${quoted(description)}`);
    const options = place.options.map(({ flags, description, takesValue, choices }) => {
      const names = flags.map((flag) =>
        flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      );
      const value = !takesValue ? '' : choices.length > 0 ? ` -x -a ${words(choices)}` : ' -r';
      return `${at} ${names.join(' ')}${value} -d ${quoted(description)}`;
    });
    return [...offered, ...options];
  });
  return `# Completes ${program} in fish.
function __${program}_place
    set -l place ''
    set -l isValue no
    for word in (commandline -opc)[2..-1]
        if test $isValue = yes
            set isValue no
            continue
        end
        switch "$place $word"
            case ${each(pathsOf(places))}
                set place "$place $word"
            case ${each(valuesOf(places).map(({ at }) => at))}
                set isValue yes
        end
    end
    echo "x$place"
end
function __${program}_is
    test (__${program}_place) = "x$argv"
end
${lines.join('\n')}`;
}
