namespace ManagedCuda.CudaBlas;

internal struct CudaBlasHandle
{
    public IntPtr Pointer;
}

internal enum CublasStatus
{
    Success = 0,
    NotInitialized = 1,
    AllocFailed = 3,
    InvalidValue = 7,
    ArchMismatch = 8,
    MappingError = 11,
    ExecutionFailed = 13,
    InternalError = 14,
    NotSupported = 15,
    LicenseError = 16,
}

internal enum Operation
{
    NonTranspose = 0,
    Transpose = 1,
    ConjugateTranspose = 2,
}

internal enum PointerMode
{
    Host = 0,
    Device = 1,
}

internal enum Math
{
    DefaultMath = 0,
    TensorOpMath = 1,
    PedanticMath = 2,
    TF32TensorOpMath = 3,
    DisallowReducedPrecisionReduction = 16,
}
