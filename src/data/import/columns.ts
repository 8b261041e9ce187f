/**
 * Which column means what: as the user says, else guessed from common names.
 */
import { faults } from '../../errors/index.js';

/** What a column can mean. */
export type ColumnRole = 'user' | 'item' | 'time' | 'rating' | 'itemId' | 'itemTitle';

/** Column names by meaning. */
export type ColumnMap = Partial<Record<ColumnRole, string>>;

/** Names, best first, without letter case, spaces, `_`, `-` and RecBole's `:token`. */
const commonNames: Record<ColumnRole, readonly string[]> = {
  user: words(
    'userid user uid customerid customer sessionid visitorid memberid reviewerid authorid accountid username',
  ),
  item: words(
    'itemid item iid movieid productid product asin parentasin trackid songid artistid bookid gameid articleid sku businessid contentid videoid',
  ),
  time: words(
    'timestamp time ts unixtime datetime eventtime createdat unixreviewtime reviewtime date interactiontime',
  ),
  rating: words('rating score stars overall'),
  itemId: words(
    'itemid item iid movieid productid product asin parentasin trackid songid artistid bookid gameid articleid sku businessid contentid videoid id',
  ),
  itemTitle: words(
    'title itemtitle movietitle producttitle booktitle name itemname productname trackname songname artistname gamename',
  ),
};

function words(text: string): string[] {
  return text.split(' ');
}

/** Flag of the command line that names a column. */
const flags: Record<ColumnRole, string> = {
  user: '--user-column',
  item: '--item-column',
  time: '--time-column',
  rating: '--rating-column',
  itemId: '--items-id-column',
  itemTitle: '--items-title-column',
};

/**
 * Finds the columns of the asked roles.
 *
 * @param available  columns of the file, in order
 * @param named      what the user said: a name, or a number from 1; one that is not there is an error
 * @returns every role that was found; `required` ones are all there
 * @throws IloraError `usage` listing all that is missing
 */
export function findColumns(
  path: string,
  available: readonly string[],
  named: ColumnMap,
  roles: { required: readonly ColumnRole[]; optional: readonly ColumnRole[] },
): ColumnMap {
  const found: ColumnMap = {};
  const problems: string[] = [];
  const list = `[${available.join(', ')}]`;
  for (const role of [...roles.required, ...roles.optional]) {
    const name = named[role];
    const column = name === undefined ? guess(role, available) : byName(name, available);
    if (column !== undefined) found[role] = column;
    else if (name !== undefined)
      problems.push(`${role}: expected a column named "${name}", got ${list}`);
    else if (roles.required.includes(role))
      problems.push(
        `${role}: expected a column with a common name, such as ${commonNames[role].slice(0, 4).join(', ')}, got ${list} — name it with ${flags[role]}`,
      );
  }
  if (problems.length > 0 && available.every((column) => /^[\d.]+$/.test(column)))
    problems.push('the first line looks like a row: with --no-header columns go by number, from 1');
  if (problems.length > 0) throw faults('usage', path, problems);
  return found;
}

function byName(name: string, available: readonly string[]): string | undefined {
  return (
    available.find((column) => column === name) ??
    available.find((column) => column.toLowerCase() === name.toLowerCase()) ??
    (/^[1-9]\d*$/.test(name) ? available[Number(name) - 1] : undefined)
  );
}

function guess(role: ColumnRole, available: readonly string[]): string | undefined {
  const plain = available.map((column) =>
    column
      .replace(/:.*$/, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]/gu, ''),
  );
  for (const name of commonNames[role]) {
    const place = plain.indexOf(name);
    if (place >= 0) return available[place];
  }
  return undefined;
}

/** Everything that can be guessed from names alone. */
export function guessColumns(available: readonly string[]): ColumnMap {
  const found: ColumnMap = {};
  for (const role of Object.keys(commonNames) as ColumnRole[]) {
    const column = guess(role, available);
    if (column !== undefined) found[role] = column;
  }
  return found;
}
