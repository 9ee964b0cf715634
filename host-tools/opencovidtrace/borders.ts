// Which published keys a client asks for: those whose bearer was somewhere near. Source: octrace-android, its LocationIndexManager; oct-storage.
// Both originals err: the client wraps latitudes at the poles, the server compares a maximum with a minimum. Here edges are clamped, and rectangles meet or don't (OCT-06).

/** A rectangle of the globe, degrees, edges included. */
export interface Border {
  minLat: number;
  maxLat: number;
  minLng: number;
  maxLng: number;
}

const PER_DEGREE = 10;
const HALF_BOX = 0.25;
/** How much each side of a published border is moved outwards at random, degrees. */
const LEAST_WIDENING = 0.05;
const MOST_WIDENING = 0.1;

/** Tenths of degrees, rounded half up, also below zero. */
export function locationIndex(degrees: number): number {
  const index = Math.floor(degrees * PER_DEGREE + 0.5);
  // no negative zero
  return index === 0 ? 0 : index;
}

/** The box that a client asks for: a quarter of a degree around its indexes. */
export function boxAround(latIndex: number, lngIndex: number): Border {
  const [lat, lng] = [latIndex / PER_DEGREE, lngIndex / PER_DEGREE];
  return clamped({ minLat: lat - HALF_BOX, maxLat: lat + HALF_BOX, minLng: lng - HALF_BOX, maxLng: lng + HALF_BOX });
}

/** Do two rectangles share at least a point? */
export function meets(a: Border, b: Border): boolean {
  return a.minLat <= b.maxLat && b.minLat <= a.maxLat && a.minLng <= b.maxLng && b.minLng <= a.maxLng;
}

/**
 * The border to publish with a day's key: the rectangle of that day's positions, each side widened at random, so that no edge tells a place.
 * `random`: a number from 0 to below 1 from a cryptographic source, asked four times. `undefined` for a day without positions, whose key is not published (OCT-07).
 */
export function borderOfDay(positions: readonly { lat: number; lng: number }[], random: () => number): Border | undefined {
  if (positions.length === 0) return undefined;
  const border: Border = { minLat: Infinity, maxLat: -Infinity, minLng: Infinity, maxLng: -Infinity };
  for (const { lat, lng } of positions) {
    border.minLat = Math.min(border.minLat, lat);
    border.maxLat = Math.max(border.maxLat, lat);
    border.minLng = Math.min(border.minLng, lng);
    border.maxLng = Math.max(border.maxLng, lng);
  }
  const widening = () => LEAST_WIDENING + random() * (MOST_WIDENING - LEAST_WIDENING);
  return clamped({
    minLat: border.minLat - widening(),
    maxLat: border.maxLat + widening(),
    minLng: border.minLng - widening(),
    maxLng: border.maxLng + widening(),
  });
}

function clamped({ minLat, maxLat, minLng, maxLng }: Border): Border {
  return { minLat: Math.max(minLat, -90), maxLat: Math.min(maxLat, 90), minLng: Math.max(minLng, -180), maxLng: Math.min(maxLng, 180) };
}
