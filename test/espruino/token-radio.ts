// What the scripted radios of tokens have in common: texts for the interpreter.

/** So many peers that show BlueTrace's service: `play(f, n)` lets the listener `f` hear each of them, and n times more. Calls `look()`. */
export const inReach = (count: number): string =>
  `function packet(i){return new Uint8Array([2,1,2,17,7,249,24,194,76,9,254,240,128,106,79,149,21,252,179,42,184,2,10,0,6,255,255,3,97,97+i/16,97+i%16])}
function address(i){return "c0:00:00:00:00:"+(16+i).toString(16)+" random"}
function play(f,n){for(var i=0;i<${count};i++)f({id:address(i),rssi:-50-i,data:packet(i).buffer});look();if(n)setTimeout(play,700,f,n-1)}
`;

/** Members of NRF: those that answer nothing, and a scan that hears all who are in reach five times. */
export const RADIO_CALLS = `sleep:function(){},wake:function(){},restart:function(){},setAdvertising:function(){},setAddress:function(){},setTxPower:function(){},
getSecurityStatus:function(){return{connected:false}},getBattery:function(){return 3},setSecurity:function(){},disconnect:function(){},updateServices:function(){},
setScan:function(f){if(f)setTimeout(play,300,f,4)},
`;
