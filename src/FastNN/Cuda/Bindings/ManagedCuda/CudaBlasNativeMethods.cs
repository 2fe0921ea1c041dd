using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda.CudaBlas;

/// <summary>The part of cuBLAS that FastNN uses, under the names of ManagedCuda's raw layer, as with the driver.</summary>
internal static class CudaBlasNativeMethods
{
    private const string Library = "cublas64_12";

    [DllImport(Library)]
    public static extern CublasStatus cublasCreate_v2(ref CudaBlasHandle handle);

    [DllImport(Library)]
    public static extern CublasStatus cublasDestroy_v2(CudaBlasHandle handle);

    [DllImport(Library)]
    public static extern CublasStatus cublasSetStream_v2(CudaBlasHandle handle, CUstream streamId);

    [DllImport(Library)]
    public static extern CublasStatus cublasSetWorkspace_v2(
        CudaBlasHandle handle, CUdeviceptr workspace, SizeT workspaceSizeInBytes);

    [DllImport(Library)]
    public static extern CublasStatus cublasSetMathMode(CudaBlasHandle handle, Math mode);

    [DllImport(Library)]
    public static extern CublasStatus cublasSetPointerMode_v2(CudaBlasHandle handle, PointerMode mode);

    [DllImport(Library)]
    public static extern CublasStatus cublasSgemm_v2(
        CudaBlasHandle handle, Operation transa, Operation transb, int m, int n, int k, [In] ref float alpha, [In] CUdeviceptr A,
        int lda,
        [In] CUdeviceptr B, int ldb, [In] ref float beta, CUdeviceptr C, int ldc);

    [DllImport(Library)]
    public static extern CublasStatus cublasSgemmStridedBatched(
        CudaBlasHandle handle, Operation transa, Operation transb, int m, int n, int k, [In] ref float alpha, CUdeviceptr A,
        int lda, long strideA,
        CUdeviceptr B, int ldb, long strideB, [In] ref float beta, CUdeviceptr C, int ldc, long strideC, int batchCount);
}
