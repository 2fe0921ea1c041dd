namespace FastNN.Cuda;

/// <summary>How many blocks of how many threads, and the bytes of dynamic shared memory of each.</summary>
internal readonly record struct Grid(int X, int Threads, int Y = 1, int Z = 1, int Shared = 0);
