/** Reads what a command line names: a script, and a host with a port. @module */

import { pathToFileURL } from "node:url";

/** The URL of a script, which is given as a URL or as a path from the current folder. */
export function scriptUrl(script: string | URL): URL {
  if (script instanceof URL) return script;
  // A single letter before the colon is no protocol but a drive of Windows.
  return /^[a-z][a-z0-9+.-]+:/i.test(script) ? new URL(script) : pathToFileURL(script);
}

/**
 * The two parts of "host:port" or "[address]:port".
 *
 * @throws {RangeError} if the text is neither
 */
export function hostAndPort(text: string): { readonly host: string; readonly port: number } {
  const [, address, name, digits] = /^(?:\[([\da-f:.]+(?:%\w+)?)\]|([^\s:/[\]@?#]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = address ?? name, port = Number(digits);
  if (host === undefined || (address !== undefined && !address.includes(":")) || port < 1 || port > 65_535) {
    throw new RangeError(
      `Cannot launch: rendezvous is "${text}", expected "host:port" or, with an IPv6 address, "[address]:port"`,
    );
  }
  return { host, port };
}
