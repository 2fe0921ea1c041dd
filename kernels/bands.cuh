// Windows over volumes [N, D, H, W, C], given along each axis by a table of rows: the first position, how many there are, and taps
// weights as the bits of floats. See src/FastNN/Kernels/Windows/WindowBands.cs.
#pragma once
#include "channels.cuh"
#include "divisor.cuh"

#define BAND_THREADS 256

// One axis from the side of the tensor whose elements the threads take.
struct BandAxis {
    int reads;   // positions of the tensor that is read
    int table;   // where the rows begin
    int taps;    // weights of a row
    int step;    // positions from one tap to the next
    Divisor byTaken;
};

struct BandShape {
    BandAxis d;
    BandAxis h;
    BandAxis w;
    Divisor byC;
    int c;
    int count;  // of elements of the tensor whose elements the threads take
    int accumulate;
    int unused;
};

struct Band {
    int first;
    int count;
    const int* weights;

    DEVICE Band(const int* table, const BandAxis& axis, int position) {
        const int* row = table + axis.table + position * (axis.taps + 2);
        first = row[0];
        count = row[1];
        weights = row + 2;
    }

    DEVICE float weight(int tap) const { return floatOf((uint32)weights[tap]); }
};

// An element by its coordinates.
struct BandPlace {
    int channel, w, h, d, n;

    DEVICE BandPlace(const BandShape& shape, int element) {
        channel = element;
        w = split(channel, shape.byC);
        h = split(w, shape.w.byTaken);
        d = split(h, shape.h.byTaken);
        n = split(d, shape.d.byTaken);
    }
};

// The first element of image n's channel in the tensor that is read.
DEVICE int64 bandVolume(const BandShape& shape, const BandPlace& p) {
    return (int64)p.n * shape.d.reads * shape.h.reads * shape.w.reads * shape.c + p.channel;
}
