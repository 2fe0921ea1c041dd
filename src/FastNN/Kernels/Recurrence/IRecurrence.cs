namespace FastNN.Kernels;

/// <summary>Layers whose steps depend on one another: recurrent networks.</summary>
internal partial interface IRecurrence;
