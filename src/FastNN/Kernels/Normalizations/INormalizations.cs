namespace FastNN.Kernels;

/// <summary>What brings numbers to a common scale: normalizations over groups of elements, softmax.</summary>
internal partial interface INormalizations;
