using System.Runtime.InteropServices;

namespace FastNN.Cuda.Bindings;

/// <summary>
/// cuDNN 9's codes, of which only their thousands are told apart: 2 for bad parameters, 3 for what is not supported.
/// </summary>
internal enum CudnnStatus
{
    Success = 0,
    NotInitialized = 1001,
    SublibraryVersionMismatch = 1002,
    SublibraryLoadingFailed = 1008,
    BadParam = 2000,
    NotSupported = 3000,
    InternalError = 4000,
    HostAllocationFailed = 4003,
    ExecutionFailed = 5000,
}

internal enum CudnnTensorFormat
{
    Nchw = 0,
    Nhwc = 1,
}

internal enum CudnnDataType
{
    Float = 0,
}

internal enum CudnnConvolutionMode
{
    Convolution = 0,
    CrossCorrelation = 1,
}

internal enum CudnnMathType
{
    Default = 0,
    TensorOp = 1,
    TensorOpAllowConversion = 2,
    Fma = 3,
}

internal enum CudnnDeterminism
{
    NonDeterministic = 0,
    Deterministic = 1,
}

internal enum CudnnRnnAlgorithm
{
    Standard = 0,
}

internal enum CudnnRnnMode
{
    Relu = 0,
    Tanh = 1,
    Lstm = 2,
    Gru = 3,
}

internal enum CudnnRnnBiasMode
{
    NoBias = 0,
    DoubleBias = 2,
}

internal enum CudnnDirectionMode
{
    Unidirectional = 0,
}

internal enum CudnnRnnInputMode
{
    LinearInput = 0,
}

internal enum CudnnRnnDataLayout
{
    SeqMajorUnpacked = 0,
    SeqMajorPacked = 1,
}

internal enum CudnnForwardMode
{
    Inference = 0,
    Training = 1,
}

internal enum CudnnWgradMode
{
    Add = 0,
}

/// <summary>
/// What a heuristic says of an algorithm; one layout for the three passes, whose algorithms are enumerations of their own.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudnnAlgorithmPerformance
{
    public int Algorithm;
    public CudnnStatus Status;
    public float Time;
    public nuint Memory;
    public CudnnDeterminism Determinism;
    public CudnnMathType MathType;
    public int Reserved0;
    public int Reserved1;
    public int Reserved2;
}
