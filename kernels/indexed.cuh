// What gathering and scattering share.
#pragma once
#include "strides.cuh"

#define THREADS 256

DEVICE int64 indexAt(const void* indices, int64 i, int wide) { return wide ? ((const int64*)indices)[i] : ((const int*)indices)[i]; }
