namespace FastNN.Kernels;

/// <summary>Windows that slide over images: convolution and pooling.</summary>
internal partial interface IWindows;
