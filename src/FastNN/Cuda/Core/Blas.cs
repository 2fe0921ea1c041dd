using ManagedCuda.BasicTypes;
using ManagedCuda.CudaBlas;
using static ManagedCuda.CudaBlas.CudaBlasNativeMethods;
using static ManagedCuda.DriverAPINativeMethods;

namespace FastNN.Cuda;

/// <summary>
/// cuBLAS on the compute stream, in float32, with a workspace of its own: with the library's, each captured graph would hold
/// another one.
/// </summary>
/// <param name="allowTF32">Whether factors may be rounded to TF32.</param>
internal sealed class Blas(CudaCore core, bool allowTF32)
{
    /// <summary>NVIDIA's advice: 32 MiB for Hopper, 4 MiB before it.</summary>
    private const long HopperWorkspace = 32L << 20, Workspace = 4L << 20;

    private CudaBlasHandle _handle;
    private CUdeviceptr _workspace;

    /// <summary>
    /// Row-major C [m, n] = op(A) op(B) + beta C; op(A) is [m, k], op(B) [k, n]. With beta 0 C need not hold numbers.
    /// </summary>
    /// <param name="lda">Numbers from one row of A to the next, as A lies in memory; likewise of B and C.</param>
    public void Gemm(
        bool transposeA, bool transposeB, int m, int n, int k, nint a, int lda, nint b, int ldb, float beta, nint c, int ldc)
    {
        using Lock.Scope scope = core.Enter();
        Open();

        // cuBLAS is column-major, in which a row-major matrix is its transpose: C^T = op(B)^T op(A)^T.
        float alpha = 1;
        CublasStatus status = cublasSgemm_v2(
            _handle, Op(transposeB), Op(transposeA), n, m, k, ref alpha, CudaCore.Pointer(b), ldb, CudaCore.Pointer(a), lda,
            ref beta,
            CudaCore.Pointer(c), ldc);
        if (status != CublasStatus.Success)
        {
            throw Failed(nameof(cublasSgemm_v2), status, $" The product is [{m},{k}] by [{k},{n}].");
        }

        core.CountLaunch();
    }

    /// <summary>
    /// The same for so many products, whose matrices lie evenly spaced: so many numbers from one to the next, 0 for one that
    /// repeats.
    /// </summary>
    public void GemmBatched(
        bool transposeA, bool transposeB, int m, int n, int k, nint a, int lda, long strideA, nint b, int ldb, long strideB,
        float beta, nint c, int ldc,
        long strideC, int batches)
    {
        using Lock.Scope scope = core.Enter();
        Open();
        float alpha = 1;
        CublasStatus status = cublasSgemmStridedBatched(
            _handle, Op(transposeB), Op(transposeA), n, m, k, ref alpha, CudaCore.Pointer(b), ldb, strideB, CudaCore.Pointer(a),
            lda, strideA, ref beta,
            CudaCore.Pointer(c), ldc, strideC, batches);
        if (status != CublasStatus.Success)
        {
            throw Failed(nameof(cublasSgemmStridedBatched), status, $" The products are {batches} of [{m},{k}] by [{k},{n}].");
        }

        core.CountLaunch();
    }

    /// <summary>Lets go of everything; the context is bound and idle.</summary>
    public void Release()
    {
        if (_handle.Pointer != 0)
        {
            _ = cublasDestroy_v2(_handle);
            _ = MemoryManagement.cuMemFree_v2(_workspace);
            (_handle, _workspace) = (default, default);
        }
    }

    private static Operation Op(bool transpose) => transpose ? Operation.Transpose : Operation.NonTranspose;

    private void Open()
    {
        if (_handle.Pointer != 0)
        {
            return;
        }

        if (core.IsCapturing)
        {
            throw new DeviceException("cuda: cuBLAS is not open yet; what is captured must have run before.");
        }

        _ = CudaLibraries.Load(CudaLibraries.Cublas, "cuBLAS 12 or 13, which computes large matrix products,");
        CudaBlasHandle handle = default;
        Check(nameof(cublasCreate_v2), cublasCreate_v2(ref handle));
        CUdeviceptr workspace = default;
        try
        {
            long bytes = core.ComputeCapability.Major >= 9 ? HopperWorkspace : Workspace;
            core.Check(MemoryManagement.cuMemAlloc_v2(ref workspace, bytes));
            var mode = allowTF32 ? ManagedCuda.CudaBlas.Math.TF32TensorOpMath : ManagedCuda.CudaBlas.Math.DefaultMath;
            // In this order: setting the stream resets the workspace.
            Check(nameof(cublasSetStream_v2), cublasSetStream_v2(handle, core.ComputeStream));
            Check(nameof(cublasSetWorkspace_v2), cublasSetWorkspace_v2(handle, workspace, bytes));
            Check(nameof(cublasSetMathMode), cublasSetMathMode(handle, mode));
            Check(nameof(cublasSetPointerMode_v2), cublasSetPointerMode_v2(handle, PointerMode.Host));
        }
        catch
        {
            _ = cublasDestroy_v2(handle);
            if ((ulong)workspace != 0)
            {
                _ = MemoryManagement.cuMemFree_v2(workspace);
            }

            throw;
        }

        (_handle, _workspace) = (handle, workspace);
    }

    private static void Check(string call, CublasStatus status)
    {
        if (status != CublasStatus.Success)
        {
            throw Failed(call, status, "");
        }
    }

    private static DeviceException Failed(string call, CublasStatus status, string more) =>
        new($"cuda: {call} failed with {status} ({(int)status}): {Cause(status)}{more}");

    private static string Cause(CublasStatus status) => status switch
    {
        CublasStatus.NotInitialized => "cuBLAS cannot be used with this driver; their versions must fit.",
        CublasStatus.AllocFailed => "the GPU's memory is used up. A smaller batch needs less.",
        CublasStatus.ArchMismatch => "this cuBLAS does not know this GPU; install a newer one.",
        CublasStatus.ExecutionFailed => "the GPU failed to run it; a kernel before it may be the cause.",
        _ => "this is a fault of FastNN's or of cuBLAS.",
    };
}
