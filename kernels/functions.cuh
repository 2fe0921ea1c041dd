// What printed functions (generated/*.cuh) stand on: their parameters, and the elementary functions that they call.
#pragma once
#include "math.cuh"

// Parameters of a function, in the order of its FunctionInfo; what it has not is 0. src/FastNN/Functions/Scalar.cs
struct Scalars {
    float a, b, c, d;
};
