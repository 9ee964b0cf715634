// The same in C over OpenSSL's EVP: HKDF by EVP_KDF, one EVP_EncryptUpdate a key, a table of identifiers with open addressing. Arguments: folder, number of keys. See bench/match.ts.
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint8_t *read_file(const char *folder, const char *name, size_t *length) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  if (!file) exit(2);
  fseek(file, 0, SEEK_END);
  *length = (size_t)ftell(file);
  rewind(file);
  uint8_t *bytes = malloc(*length);
  if (fread(bytes, 1, *length, file) != *length) exit(2);
  fclose(file);
  return bytes;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  size_t key_bytes, start_bytes, heard_bytes;
  const uint8_t *keys = read_file(argv[1], "keys.bin", &key_bytes), *starts = read_file(argv[1], "starts.bin", &start_bytes),
                *heard = read_file(argv[1], "identifiers.bin", &heard_bytes);
  const size_t count = (size_t)atol(argv[2]), entries = heard_bytes / 16;
  const clock_t begun = clock();

  size_t size = 16;
  while (size < 4 * entries) size *= 2;
  uint32_t *table = calloc(size, sizeof *table);
  for (size_t i = 0; i < entries; i++) {
    uint32_t hash;
    memcpy(&hash, heard + 16 * i, 4);
    size_t at = hash & (size - 1);
    while (table[at]) at = (at + 1) & (size - 1);
    table[at] = (uint32_t)i + 1;
  }

  EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
  EVP_KDF_CTX *derive = EVP_KDF_CTX_new(kdf);
  EVP_CIPHER *aes = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
  EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
  uint8_t padded[144 * 16] = {0}, rpis[144 * 16 + 16], rpik[16];
  for (int i = 0; i < 144; i++) memcpy(padded + 16 * i, "EN-RPI", 6);
  printf("{\"found\":[");
  int any = 0;
  for (size_t number = 0; number < count; number++) {
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, "SHA256", 0),
                           OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(keys + 16 * number), 16),
                           OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, "EN-RPIK", 7), OSSL_PARAM_construct_end()};
    if (EVP_KDF_derive(derive, rpik, sizeof rpik, params) != 1) return 3;
    uint32_t start;
    memcpy(&start, starts + 4 * number, 4);
    for (uint32_t i = 0; i < 144; i++) {
      const uint32_t interval = start + i;
      memcpy(padded + 16 * i + 12, &interval, 4);
    }
    int length;
    if (EVP_EncryptInit_ex2(cipher, aes, rpik, NULL, NULL) != 1 || EVP_EncryptUpdate(cipher, rpis, &length, padded, sizeof padded) != 1) return 3;
    for (int i = 0; i < 144; i++) {
      uint32_t hash;
      memcpy(&hash, rpis + 16 * i, 4);
      for (size_t at = hash & (size - 1); table[at]; at = (at + 1) & (size - 1)) {
        if (memcmp(heard + 16 * ((size_t)table[at] - 1), rpis + 16 * i, 16)) continue;
        printf("%s[%zu,%d]", any++ ? "," : "", number, i);
        break;
      }
    }
  }
  printf("],\"cpuSeconds\":%.6f}\n", (double)(clock() - begun) / CLOCKS_PER_SEC);
  return 0;
}
