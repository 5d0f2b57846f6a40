/* A small network with fixed weights, in the place of a model that takes long to load. */
#ifndef SAMPLES_OFFLOAD_NETWORK_H
#define SAMPLES_OFFLOAD_NETWORK_H

#include <stdint.h>

#define NETWORK_INPUTS 16
#define NETWORK_LAYERS 8
#define NETWORK_WIDTH 192
#define NETWORK_CLASSES 10

struct network {
    float first[NETWORK_WIDTH][NETWORK_INPUTS];
    float layers[NETWORK_LAYERS][NETWORK_WIDTH][NETWORK_WIDTH];
    float last[NETWORK_CLASSES][NETWORK_WIDTH];
};

/* Set all weights, the same for the same seed, which is not 0. */
void network_load(struct network *network, uint64_t seed);

/* `count` numbers from -1 to 1 that follow from the seed, which is not 0. */
void network_noise(float *numbers, uint32_t count, uint64_t seed);

/* The class of `input`. */
int32_t network_classify(const struct network *network, const float input[NETWORK_INPUTS]);

#endif
