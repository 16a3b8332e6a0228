import { sameUri } from '../../dist/location/uri.js';

describe('URIs that RFC 3261 19.1.4 calls equivalent', () => {
  test.each([
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;newparam=5'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    ],
    ['SIP:alice@h', 'sip:alice@h'],
    ['tel:+123', 'tel:+123'],
    ['sip:a%3ab@h', 'sip:a%3Ab@h'],
  ])('%s = %s', (one, other) => {
    expect(sameUri(one, other)).toBe(true);
    expect(sameUri(other, one)).toBe(true);
  });
});

describe('URIs that it tells apart', () => {
  test.each([
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
    ['sip:bob@biloxi.com', 'sips:bob@biloxi.com'],
    ['sip:biloxi.com', 'sip:bob@biloxi.com'],
    ['sip:bob@biloxi.com', 'sip:bob:secret@biloxi.com'],
    ['sip:bob@h;user=phone', 'sip:bob@h'],
    ['sip:bob@h;maddr=239.0.0.1', 'sip:bob@h'],
    ['sip:bob@h;ttl=1', 'sip:bob@h'],
    ['sip:a%3Ab@h', 'sip:a:b@h'],
    ['tel:+123', 'tel:+124'],
    ['tel:+123', 'sip:+123@h'],
  ])('%s / %s', (one, other) => {
    expect(sameUri(one, other)).toBe(false);
    expect(sameUri(other, one)).toBe(false);
  });
});
