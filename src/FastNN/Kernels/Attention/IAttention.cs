namespace FastNN.Kernels;

/// <summary>Attention, and the rotation of its operands by their positions.</summary>
internal partial interface IAttention;
