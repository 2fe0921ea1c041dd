namespace FastNN.Kernels;

/// <summary>Products of matrices: dense layers, and batches of any layout.</summary>
internal partial interface IProducts;
