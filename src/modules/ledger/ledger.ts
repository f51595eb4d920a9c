/**
 * Double entry: accounts of several assets, and transfers between them, of one phase or of two, alone
 * or in chains. TigerBeetle's semantics and result codes are the reference
 * (docs.tigerbeetle.com/reference); what differs, and why, stands in docs/modules.md.
 */
import { defineModule } from '../define.ts';
import { createAccount, eventFlags, type NewAccount } from './accounts.ts';
import * as answers from './answers.ts';
import { addAsset, issue } from './assets.ts';
import { runEvents, type Events } from './chains.ts';
import { LINKED, PENDING, POST, transferBits, VOID } from './flags.ts';
import { ledgerGenesis } from './genesis.ts';
import { sweep } from './pending.ts';
import { events, SweepArgs, tables } from './rows.ts';
import { refusals } from './refusals.ts';
import { commandShapes, queryShapes } from './shapes.ts';
import { createTransfer, failedTransfer, type NewTransfer } from './transfers.ts';

const NewAccounts: Events<NewAccount> = {
  isLinked: (event) => (eventFlags(event) & LINKED) !== 0,
  run: createAccount,
  failed: () => undefined,
};

const NewTransfers: Events<NewTransfer> = {
  isLinked: ({ flags }) => flags?.includes('linked') ?? false,
  run: (work, event) => createTransfer(work, event, transferBits(event.flags ?? [])),
  failed: failedTransfer,
};

export const ledger = defineModule({
  name: 'ledger',
  version: 1,
  description: 'Accounts of several assets, balances and transfers.',
  tables,
  events,
  timers: ({ timer }) => ({
    sweep: timer(
      { description: 'Ends pending transfers whose time is over.', args: SweepArgs },
      sweep,
    ),
  }),
  commands: ({ command }) => ({
    open: command(commandShapes.open, createAccount),
    createAccounts: command(commandShapes.createAccounts, (context, { accounts }) =>
      runEvents(context, accounts, NewAccounts),
    ),
    addAsset: command(commandShapes.addAsset, addAsset),
    issue: command(commandShapes.issue, issue),
    transfer: command(commandShapes.transfer, (context, args) => createTransfer(context, args, 0)),
    pend: command(commandShapes.pend, (context, args) => createTransfer(context, args, PENDING)),
    post: command(commandShapes.post, (context, args) => createTransfer(context, args, POST)),
    void: command(commandShapes.void, (context, args) => createTransfer(context, args, VOID)),
    createTransfers: command(commandShapes.createTransfers, (context, { transfers }) =>
      runEvents(context, transfers, NewTransfers),
    ),
  }),
  queries: ({ query }) => ({
    account: query(queryShapes.account, answers.account),
    accounts: query(queryShapes.accounts, answers.accounts),
    transfer: query(queryShapes.transfer, answers.transfer),
    accountTransfers: query(queryShapes.accountTransfers, answers.accountTransfers),
    accountBalances: query(queryShapes.accountBalances, answers.accountBalances),
    asset: query(queryShapes.asset, answers.asset),
    assets: query(queryShapes.assets, answers.assets),
    supply: query(queryShapes.supply, answers.supply),
  }),
  refusals,
  genesis: ledgerGenesis,
});
