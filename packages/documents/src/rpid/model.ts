/** Typed elements of RPID (RFC 4480). Fields have the names of the elements, and stand where its table 1 allows them. */
import type { Note, Ranged } from '../common/model.js';
import type { XmlElement } from '../xml/element.js';

/** Lists have one entry per time range and are absent when empty. */
export interface PersonRpid {
  readonly activities?: readonly Activities[];
  /** Label for grouping; not for people. */
  readonly class?: string;
  readonly mood?: readonly Mood[];
  readonly placeIs?: readonly PlaceIs[];
  readonly placeType?: readonly PlaceType[];
  readonly privacy?: readonly Privacy[];
  readonly sphere?: readonly Sphere[];
  readonly statusIcon?: readonly StatusIcon[];
  readonly timeOffset?: readonly TimeOffset[];
  readonly userInput?: UserInput;
}

export interface TupleRpid {
  readonly class?: string;
  readonly privacy?: readonly Privacy[];
  readonly relationship?: Relationship;
  readonly serviceClass?: ServiceClass;
  readonly statusIcon?: readonly StatusIcon[];
  readonly userInput?: UserInput;
}

export interface DeviceRpid {
  readonly class?: string;
  readonly userInput?: UserInput;
}

/** Values that hold together; `unknown` stands alone. */
export interface Enumeration<V extends string> extends Ranged {
  readonly notes?: readonly Note[];
  readonly values?: readonly V[];
  /** In words, where no value fits. */
  readonly others?: readonly Note[];
  /** Values of other namespaces. */
  readonly extensions?: readonly XmlElement[];
}

/** RFC 4480 section 3.2; without any value nothing is said. */
export type Activities = Enumeration<Activity>;

/** RFC 4480 section 3.5; at least one of `values`, `others` and `extensions`. */
export type Mood = Enumeration<MoodName>;

/**
 * The values of RFC 4480 section 3.2. `lunch` is only in its text, a document with it is not valid: it is read as `meal` and
 * never written.
 */
export const activityNames = [
  'appointment',
  'away',
  'breakfast',
  'busy',
  'dinner',
  'holiday',
  'in-transit',
  'looking-for-work',
  'meal',
  'meeting',
  'on-the-phone',
  'performance',
  'permanent-absence',
  'playing',
  'presentation',
  'shopping',
  'sleeping',
  'spectator',
  'steering',
  'travel',
  'tv',
  'unknown',
  'vacation',
  'working',
  'worship',
] as const;
export type Activity = (typeof activityNames)[number];

/** The values of RFC 4480 section 3.5. */
export const moodNames = [
  'afraid',
  'amazed',
  'angry',
  'annoyed',
  'anxious',
  'ashamed',
  'bored',
  'brave',
  'calm',
  'cold',
  'confused',
  'contented',
  'cranky',
  'curious',
  'depressed',
  'disappointed',
  'disgusted',
  'distracted',
  'embarrassed',
  'excited',
  'flirtatious',
  'frustrated',
  'grumpy',
  'guilty',
  'happy',
  'hot',
  'humbled',
  'humiliated',
  'hungry',
  'hurt',
  'impressed',
  'in_awe',
  'in_love',
  'indignant',
  'interested',
  'invincible',
  'jealous',
  'lonely',
  'mean',
  'moody',
  'nervous',
  'neutral',
  'offended',
  'playful',
  'proud',
  'relieved',
  'remorseful',
  'restless',
  'sad',
  'sarcastic',
  'serious',
  'shocked',
  'shy',
  'sick',
  'sleepy',
  'stressed',
  'surprised',
  'thirsty',
  'unknown',
  'worried',
] as const;
export type MoodName = (typeof moodNames)[number];

/** How well a place suits each medium (RFC 4480 section 3.6). */
export interface PlaceIs extends Ranged {
  readonly notes?: readonly Note[];
  readonly audio?: (typeof placeProperties.audio)[number];
  readonly video?: (typeof placeProperties.video)[number];
  readonly text?: (typeof placeProperties.text)[number];
}
export const placeProperties = {
  audio: ['noisy', 'ok', 'quiet', 'unknown'],
  video: ['toobright', 'ok', 'dark', 'unknown'],
  text: ['uncomfortable', 'inappropriate', 'ok', 'unknown'],
} as const;

/** RFC 4480 section 3.7: either values (registered ones and extensions) or words. */
export interface PlaceType extends Ranged {
  readonly notes?: readonly Note[];
  /** Names registered by RFC 4589: `office`, `residence`, `train`, ... */
  readonly values?: readonly string[];
  /** In words, where no value fits. */
  readonly other?: Note;
  readonly extensions?: readonly XmlElement[];
}

/** What nobody near can intercept (RFC 4480 section 3.8). */
export interface Privacy extends Ranged {
  readonly notes?: readonly Note[];
  /** In the order of `privacyNames`; `unknown` stands alone. */
  readonly values?: readonly PrivacyName[];
  readonly extensions?: readonly XmlElement[];
}
export const privacyNames = ['unknown', 'audio', 'text', 'video'] as const;
export type PrivacyName = (typeof privacyNames)[number];

/** Whom the contact of a tuple leads to, seen from the presentity (RFC 4480 section 3.9); one of value, words, extensions. */
export interface Relationship {
  readonly notes?: readonly Note[];
  readonly value?: (typeof relationshipNames)[number];
  /** In words, where no value fits. */
  readonly other?: Note;
  readonly extensions?: readonly XmlElement[];
}
export const relationshipNames = [
  'assistant',
  'associate',
  'family',
  'friend',
  'self',
  'supervisor',
  'unknown',
] as const;

/** RFC 4480 section 3.10; value or extensions. Only `electronic` and `unknown` may stand beside a contact. */
export interface ServiceClass {
  readonly notes?: readonly Note[];
  readonly value?: (typeof serviceClassNames)[number];
  readonly extensions?: readonly XmlElement[];
}
export const serviceClassNames = ['courier', 'electronic', 'freight', 'in-person', 'postal', 'unknown'] as const;

/** The role the person plays (RFC 4480 section 3.11); value or extensions. */
export interface Sphere extends Ranged {
  readonly value?: (typeof sphereNames)[number];
  readonly extensions?: readonly XmlElement[];
}
export const sphereNames = ['home', 'work', 'unknown'] as const;

/** RFC 4480 section 3.12 */
export interface StatusIcon extends Ranged {
  /** Where the image is. */
  readonly uri: string;
}

/** RFC 4480 section 3.13 */
export interface TimeOffset extends Ranged {
  /** Minutes ahead of UTC where the person is; negative in the west. */
  readonly minutes: number;
  /** For people: a time zone's name. */
  readonly description?: string;
}

/** Is somebody at the keyboard (RFC 4480 section 3.14)? */
export interface UserInput {
  readonly id?: string;
  readonly state: 'active' | 'idle';
  /** Seconds without input after which the state is idle; at least 1. */
  readonly idleThreshold?: number;
  /** When there was input last, xs:dateTime. */
  readonly lastInput?: string;
}
