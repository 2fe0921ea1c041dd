namespace FastNN.Kernels;

/// <summary>Numbers that change their place alone: lookup by index, slices, transpositions, repetitions, joining.</summary>
internal partial interface IIndexing;
