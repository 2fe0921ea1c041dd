namespace FastNN.Kernels;

/// <summary>What changes parameters: the optimizers, and the guard that forbids it.</summary>
internal partial interface IUpdates;
