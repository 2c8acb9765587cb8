/** SIP, SIPS and TEL URIs as far as routing a call needs them (RFC 3261, section 19.1; RFC 3966). */
export interface SipUri {
  readonly scheme: 'sip' | 'sips' | 'tel';
  /** Unescaped; a telephone number for `tel`. Empty when there is none. */
  readonly user: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly parameters: ReadonlyMap<string, string>;
}

const HOST = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?((?:;[^;?]*)*)(?:\?.*)?$/;
const TEL = /^tel:([^;?]+)((?:;[^;?]*)*)$/i;

/** @returns undefined for what is none of them */
export function parseUri(text: string): SipUri | undefined {
  const tel = TEL.exec(text);
  if (tel) {
    return { scheme: 'tel', user: tel[1]!, host: '', port: undefined, parameters: parametersOf(tel[2]!) };
  }
  const scheme = /^(sips?):/i.exec(text)?.[1]?.toLowerCase();
  if (!scheme) return undefined;
  // Only this "@" is not escaped; before it, semicolons and question marks are the user's own.
  const at = text.indexOf('@');
  const userInfo = at < 0 ? '' : text.slice(scheme.length + 1, at);
  const match = HOST.exec(text.slice(at < 0 ? scheme.length + 1 : at + 1));
  if (!match) return undefined;
  const [, host, port, parameters] = match;
  if (port !== undefined && (Number(port) === 0 || Number(port) > 65_535)) return undefined;
  const user = unescaped(userInfo.split(':', 1)[0]!);
  if (user === undefined) return undefined;
  return {
    scheme: scheme as 'sip' | 'sips',
    user,
    host: host!.toLowerCase(),
    port: port === undefined ? undefined : Number(port),
    parameters: parametersOf(parameters!),
  };
}

function parametersOf(text: string): ReadonlyMap<string, string> {
  const entries = text.split(';').filter((part) => part !== '');
  return new Map(
    entries.map((part) => {
      const [name = '', value = ''] = part.split('=', 2);
      return [name.toLowerCase(), value];
    }),
  );
}

/** @returns undefined for an escape that is none */
function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
