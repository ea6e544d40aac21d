/** What names scripts and addresses. @module */

import { pathToFileURL } from "node:url";

/** The URL of a script: of a path from the current folder, in the system's own manner, or what is a URL already. */
export function scriptUrl(script: string | URL): URL {
  if (script instanceof URL) return script;
  // What has a single letter is no URL but a path on a drive.
  return /^[a-z][a-z0-9+.-]+:/i.test(script) ? new URL(script) : pathToFileURL(script);
}

/**
 * The two parts of "host:port" or "[address]:port".
 *
 * @throws {RangeError} if it is no such thing
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
