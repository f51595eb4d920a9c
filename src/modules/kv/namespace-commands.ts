/**
 * Who may write a namespace: everybody, until it is claimed.
 *
 * R11. A namespace can be claimed while it has no keys, and is changed or given back by its owner alone.
 */
import { Type } from '@sinclair/typebox';
import { ModuleRefusal, refuse } from '../../../protocols/transaction/module.ts';
import { Sender } from '../schema.ts';
import { EMPTY_NAMESPACE, Namespace, strict, type Commands, type Kit } from './rows.ts';

const WRITERS_MAX = 100;

/** The namespace's row, when it is the sender's to claim or to give back. */
function claimable({ tables: { namespaces }, sender }: Commands, namespace: string) {
  const row = namespaces.get(namespace) ?? EMPTY_NAMESPACE;
  if (row.owner === sender) return row;
  if (row.owner !== undefined) return refuse('not_owner', 'the namespace is another sender’s');
  return row;
}

export const namespaceCommands = ({ command }: Kit) => ({
  claim: command(
    {
      description:
        'Lets only the sender and `writers` write a namespace from now on; again, to name others.',
      args: Type.Object(
        {
          namespace: Namespace,
          writers: Type.Optional(Type.Array(Sender, { maxItems: WRITERS_MAX })),
        },
        strict,
      ),
    },
    (context, { namespace, writers = [] }) => {
      const row = claimable(context, namespace);
      if (row instanceof ModuleRefusal) return row;
      if (row.owner === undefined && row.keys > 0) {
        return refuse('namespace_in_use', 'others have keys there: claim one that has none');
      }
      const owner = context.sender;
      context.tables.namespaces.set(namespace, { ...row, owner, writers });
      context.emit('claimed', { namespace, owner, writers });
    },
  ),

  release: command(
    {
      description: 'Lets everybody write the namespace again.',
      args: Type.Object({ namespace: Namespace }, strict),
    },
    (context, { namespace }) => {
      const row = claimable(context, namespace);
      if (row instanceof ModuleRefusal) return row;
      if (row.owner === undefined) return refuse('not_claimed', 'the namespace is not claimed');
      const { owner: _, writers: __, ...open } = row;
      context.tables.namespaces.set(namespace, open);
      context.emit('released', { namespace });
    },
  ),
});
