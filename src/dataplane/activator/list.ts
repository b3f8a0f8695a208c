// A list whose links are part of what it lists: anything leaves from anywhere at once, and nothing is allocated.

export interface Listed<T> {
  before: T | undefined;
  after: T | undefined;
  listed: boolean;
}

export class List<T extends Listed<T>> {
  first: T | undefined;
  last: T | undefined;
  size = 0;

  push(item: T): void {
    item.before = this.last;
    item.after = undefined;
    item.listed = true;
    if (this.last === undefined) this.first = item;
    else this.last.after = item;
    this.last = item;
    this.size += 1;
  }

  unshift(item: T): void {
    item.before = undefined;
    item.after = this.first;
    item.listed = true;
    if (this.first === undefined) this.last = item;
    else this.first.before = item;
    this.first = item;
    this.size += 1;
  }

  /** From the end to behind the last one that `goesBefore` it. */
  moveBack(item: T, goesBefore: (one: T, other: T) => boolean): void {
    let place = item.before;
    while (place !== undefined && !goesBefore(place, item)) place = place.before;
    this.remove(item);
    if (place === undefined) {
      this.unshift(item);
      return;
    }
    const { after } = place;
    item.before = place;
    item.after = after;
    item.listed = true;
    place.after = item;
    if (after === undefined) this.last = item;
    else after.before = item;
    this.size += 1;
  }

  remove(item: T): void {
    if (!item.listed) return;
    const { before, after } = item;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.last = before;
    else after.before = before;
    item.before = undefined;
    item.after = undefined;
    item.listed = false;
    this.size -= 1;
  }
}
