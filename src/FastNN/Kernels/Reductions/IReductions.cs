namespace FastNN.Kernels;

/// <summary>Many numbers to few: sums, extremes, products and norms along axes, penalties; and their gradients back.</summary>
internal partial interface IReductions;
