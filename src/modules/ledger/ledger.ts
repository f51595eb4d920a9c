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
  refusals: {
    account_exists: 'There is an account of that name.',
    account_not_found: 'There is no account of that name.',
    insufficient_funds: 'The balance is smaller than the amount.',
    not_issuer: 'The sender is not among the issuers of the genesis.',
    not_owner: 'The sender is not the owner of the account to take from.',
    overflow: 'The balance, or the supply, would exceed 2^63 − 1.',
    self_transfer: 'Both accounts are the same.',
    zero_amount: 'The amount is zero.',
  },
  genesis: ledgerGenesis,
});
