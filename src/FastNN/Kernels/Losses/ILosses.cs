namespace FastNN.Kernels;

/// <summary>Losses of a batch and their gradients.</summary>
internal partial interface ILosses;
