/** Where the names of curves and points stand in a picture, so that none covers another, a point or a curve. @module */

/** A name and the pixel that it belongs to. */
export interface Label {
  readonly text: string;
  readonly color: string;
  readonly x: number;
  readonly y: number;
}

/** A name at its place: the pixel of its left end, at half its height. */
interface PlacedLabel extends Label {
  readonly left: number;
  readonly middle: number;
}

/** The font's size, the height of a line, and about the width of a letter, in pixels. */
export const FONT = 12, LINE = 15, LETTER = 6.3;

/** Pixels between a point and its name. */
const GAP = 8;

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function boxAt(text: string, left: number, middle: number): Box {
  return { left, right: left + LETTER * text.length, top: middle - LINE / 2, bottom: middle + LINE / 2 };
}

function isApart(a: Box, b: Box): boolean {
  return a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
}

/**
 * Places one name after another, each where it disturbs least: best right of its point, else left of it, above or below, or
 * some lines away.
 *
 * @param labels in the order in which they choose
 * @param marks the pixels of points and curves that no name should cover
 * @param frame the part of the picture that names must stay in
 */
export function placeLabels(
  labels: readonly Label[],
  marks: readonly (readonly [x: number, y: number])[],
  frame: Box,
): PlacedLabel[] {
  const boxes: Box[] = [];
  return labels.map((label) => {
    const { text, x, y } = label, width = LETTER * text.length;
    let best = { cost: Infinity, left: x, middle: y, box: boxAt(text, x, y) };
    for (let row = 0; row * LINE < frame.bottom - frame.top; row++) {
      for (const down of row === 0 ? [0] : [-row, row]) {
        const sides = Math.abs(down) === 1 ? [GAP, -GAP - width, -width / 2] : [GAP, -GAP - width];
        sides.forEach((side, i) => {
          const left = x + side, middle = y + down * LINE, box = boxAt(text, left, middle);
          const cut = Math.max(0, frame.left - box.left) + Math.max(0, box.right - frame.right) +
            Math.max(0, frame.top - box.top) + Math.max(0, box.bottom - frame.bottom);
          const covered = marks.filter(([a, b]) =>
            box.left - 3 < a && a < box.right + 3 && box.top < b && b < box.bottom
          ).length;
          // A row further away is as bad as one pixel of a curve; to cover another name is worst.
          const cost = row + .5 * i + covered + 100 * cut + 1000 * boxes.filter((other) => !isApart(box, other)).length;
          if (cost < best.cost) best = { cost, left, middle, box };
        });
      }
    }
    boxes.push(best.box);
    return { ...label, left: best.left, middle: best.middle };
  });
}
