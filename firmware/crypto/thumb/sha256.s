@ SHA-256 for the boards' processor, a Cortex-M4, in the instructions that a Cortex-M0 has as well: they are shorter, and more emulators know them.
@ Position-independent: it may lie at any word's address, which is where the interpreter puts flat strings. Source: FIPS 180-4; section numbers are its.
@
@ int sha256(int buffer, int blocks): r0 at a word's address: room for the digest, 32 bytes, then so many blocks of 64 bytes, padded (5.1.1). The answer means nothing.
@ Takes 580 bytes of stack. The clear text stays there until something else is called.
@
@ Assemble and put into sha256.ts: THUMB_RECORD=1 npx vitest run test/firmware/crypto/thumb-sha256.test.ts

        .syntax unified
        .cpu    cortex-m0
        .thumb
        .text
        .balign 4

sha256: push    {r4-r7, lr}
        @ 5.3.3: the state to begin with, in the digest's place; r2 at the first block, r3 at the constants
        movs    r2, r0
        adr     r3, initial
        ldmia   r3!, {r4-r7}
        stmia   r2!, {r4-r7}
        ldmia   r3!, {r4-r7}
        stmia   r2!, {r4-r7}

block:  push    {r0-r3}
        @ sp: 64 words of schedule, above them 64 + 8 words of window
        sub     sp, #256
        sub     sp, #288
        mov     r1, sp
        movs    r4, #16
copy:   ldmia   r2!, {r5}
        rev     r5, r5
        stmia   r1!, {r5}
        subs    r4, #1
        bne     copy

        @ 6.2.2, 1: r1 at word i, r2 at word i - 16
        movs    r4, #48
expand: movs    r2, r1
        subs    r2, #64
        @ ror 7, ror 18: ror 7 of (x ^ ror 11)
        ldr     r5, [r2, #4]
        movs    r6, r5
        movs    r3, #11
        rors    r6, r3
        eors    r6, r5
        movs    r3, #7
        rors    r6, r3
        lsrs    r5, r5, #3
        eors    r6, r5
        ldr     r5, [r2, #0]
        adds    r6, r5
        ldr     r5, [r2, #36]
        adds    r6, r5
        @ ror 17, ror 19: ror 17 of (x ^ ror 2)
        ldr     r5, [r2, #56]
        movs    r7, r5
        movs    r3, #2
        rors    r7, r3
        eors    r7, r5
        movs    r3, #17
        rors    r7, r3
        lsrs    r5, r5, #10
        eors    r7, r5
        adds    r6, r7
        stmia   r1!, {r6}
        subs    r4, #1
        bne     expand

        @ 6.2.2, 2: the window at r7 holds a to h; each round it moves down by a word, and so nothing in it has to move
        movs    r7, #1
        lsls    r7, r7, #8
        adds    r7, r7, r1
        movs    r6, r7
        ldmia   r0!, {r2-r5}
        stmia   r6!, {r2-r5}
        ldmia   r0!, {r2-r5}
        stmia   r6!, {r2-r5}
        mov     r1, sp
        ldr     r2, [sp, #556]

        @ 6.2.2, 3: r1 at the schedule's word, r2 at the constant; r3 e, then a; r4 T1, then T1 + T2
round:  ldr     r3, [r7, #16]
        @ ror 6, ror 11, ror 25: ror 6 of (x ^ ror 5 of (x ^ ror 14))
        movs    r4, r3
        movs    r5, #14
        rors    r4, r5
        eors    r4, r3
        movs    r5, #5
        rors    r4, r5
        eors    r4, r3
        movs    r5, #6
        rors    r4, r5
        @ Ch
        ldr     r5, [r7, #20]
        ldr     r6, [r7, #24]
        eors    r5, r6
        ands    r5, r3
        eors    r5, r6
        adds    r4, r5
        ldr     r5, [r7, #28]
        adds    r4, r5
        ldmia   r1!, {r5}
        adds    r4, r5
        ldmia   r2!, {r5}
        adds    r4, r5
        @ d becomes e
        ldr     r5, [r7, #12]
        adds    r5, r4
        str     r5, [r7, #12]
        ldr     r3, [r7, #0]
        @ ror 2, ror 13, ror 22: ror 2 of (x ^ ror 11 of (x ^ ror 9))
        movs    r5, r3
        movs    r6, #9
        rors    r5, r6
        eors    r5, r3
        movs    r6, #11
        rors    r5, r6
        eors    r5, r3
        movs    r6, #2
        rors    r5, r6
        adds    r4, r5
        @ Maj: b ^ ((a ^ b) & (b ^ c))
        ldr     r5, [r7, #4]
        ldr     r6, [r7, #8]
        eors    r6, r5
        eors    r3, r5
        ands    r6, r3
        eors    r6, r5
        adds    r4, r6
        subs    r7, #4
        str     r4, [r7, #0]
        @ 512 bytes apart, they meet after 64 rounds
        cmp     r7, r1
        bne     round

        @ 6.2.2, 4
        subs    r0, #32
        movs    r3, #8
sum:    ldr     r4, [r0, #0]
        ldmia   r7!, {r5}
        adds    r4, r5
        stmia   r0!, {r4}
        subs    r3, #1
        bne     sum
        add     sp, #272
        add     sp, #272
        pop     {r0-r3}
        adds    r2, #64
        subs    r1, #1
        bne     block

        movs    r1, #8
digest: ldr     r2, [r0, #0]
        rev     r2, r2
        stmia   r0!, {r2}
        subs    r1, #1
        bne     digest
        pop     {r4-r7, pc}

        .balign 4
        @ 5.3.3, and behind it 4.2.2
initial:
        .word   0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a
        .word   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19

        .word   0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5
        .word   0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5
        .word   0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3
        .word   0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174
        .word   0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc
        .word   0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da
        .word   0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7
        .word   0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967
        .word   0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13
        .word   0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85
        .word   0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3
        .word   0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070
        .word   0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5
        .word   0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3
        .word   0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208
        .word   0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
