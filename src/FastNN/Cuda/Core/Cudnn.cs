using System.Text;
using FastNN.Cuda.Bindings;
using FastNN.Kernels;
using static FastNN.Cuda.Bindings.CudnnNative;

namespace FastNN.Cuda;

/// <summary>
/// cuDNN's convolutions on the compute stream: NHWC, filters [OC, KH, KW, C / groups], float32, deterministic algorithms only.
/// An algorithm and its descriptors are chosen once per geometry and pass, when the workspace is asked for, and kept. Without the
/// library, or where it has no such algorithm, nothing is supported, and FastNN's own kernels do the work.
/// </summary>
/// <param name="allowTF32">Whether factors may be rounded to TF32.</param>
internal sealed unsafe partial class Cudnn(CudaCore core, bool wanted, bool allowTF32)
{
    private const int MostAlgorithms = 16;

    /// <summary>The most scratch an algorithm may ask for.</summary>
    private const long MostWorkspace = 256L << 20;

    private readonly Dictionary<(Conv2DGeometry Geometry, ConvolutionPass Pass), CudnnConvolution?> _convolutions = [];
    private bool? _available;
    private nint _handle;

    /// <summary>Whether the library is there and wanted.</summary>
    public bool Available
    {
        get
        {
            using Lock.Scope scope = core.Enter();
            return _available ??= wanted && CudaLibraries.TryLoad(CudaLibraries.Cudnn, out _, out _);
        }
    }

    /// <summary>Whether cuDNN computes a pass.</summary>
    public bool Supports(in Conv2DGeometry geometry, ConvolutionPass pass) => Find(geometry, pass) is not null;

    /// <summary>Scratch that a supported pass needs.</summary>
    public long WorkspaceBytes(in Conv2DGeometry geometry, ConvolutionPass pass) => (long)Require(geometry, pass).WorkspaceBytes;

    /// <summary>y = beta y + x * filter.</summary>
    public void Forward(in Conv2DGeometry geometry, nint x, nint filter, nint y, float beta, nint workspace)
    {
        using Lock.Scope scope = core.Enter();
        CudnnConvolution c = Require(geometry, ConvolutionPass.Forward);
        float alpha = 1;
        Launched(
            nameof(cudnnConvolutionForward),
            cudnnConvolutionForward(_handle, &alpha, c.X, x, c.Filter, filter, c.Convolution, c.Algorithm,
                workspace, c.WorkspaceBytes, &beta, c.Y, y),
            geometry);
    }

    /// <summary>dX = beta dX + the gradient of x.</summary>
    public void BackwardData(in Conv2DGeometry geometry, nint dY, nint filter, nint dX, float beta, nint workspace)
    {
        using Lock.Scope scope = core.Enter();
        CudnnConvolution c = Require(geometry, ConvolutionPass.BackwardData);
        float alpha = 1;
        Launched(
            nameof(cudnnConvolutionBackwardData),
            cudnnConvolutionBackwardData(_handle, &alpha, c.Filter, filter, c.Y, dY, c.Convolution, c.Algorithm,
                workspace, c.WorkspaceBytes, &beta, c.X, dX),
            geometry);
    }

    /// <summary>dFilter = beta dFilter + the gradient of the filter.</summary>
    public void BackwardFilter(in Conv2DGeometry geometry, nint x, nint dY, nint dFilter, float beta, nint workspace)
    {
        using Lock.Scope scope = core.Enter();
        CudnnConvolution c = Require(geometry, ConvolutionPass.BackwardFilter);
        float alpha = 1;
        Launched(
            nameof(cudnnConvolutionBackwardFilter),
            cudnnConvolutionBackwardFilter(_handle, &alpha, c.X, x, c.Y, dY, c.Convolution, c.Algorithm,
                workspace, c.WorkspaceBytes, &beta, c.Filter, dFilter),
            geometry);
    }

    /// <summary>Lets go of everything; the context is bound and idle.</summary>
    public void Release()
    {
        foreach (CudnnConvolution? convolution in _convolutions.Values)
        {
            convolution?.Destroy();
        }

        _convolutions.Clear();
        foreach (CudnnRecurrence? recurrence in _recurrences.Values)
        {
            recurrence?.Destroy();
        }

        _recurrences.Clear();
        if (_handle != 0)
        {
            _ = cudnnDestroy(_handle);
            _handle = 0;
        }
    }

    internal static void Check(string call, CudnnStatus status, string more = "")
    {
        if (status != CudnnStatus.Success)
        {
            throw new DeviceException($"cuda: {call} failed with {Told(status)}{more}");
        }
    }

    private CudnnConvolution Require(in Conv2DGeometry geometry, ConvolutionPass pass) =>
        Find(geometry, pass) ?? throw new DeviceException($"cuda: cuDNN has no {pass} for {geometry}.");

    private CudnnConvolution? Find(in Conv2DGeometry geometry, ConvolutionPass pass)
    {
        // cuDNN pads both ends of an axis alike, finds the output's extent itself, knows nothing of images that are left out, and
        // may choose Winograd's algorithm or Fourier's.
        if (!Available || geometry.IsDirect || !geometry.Depth.IsFlat || !geometry.Vertical.IsWhole
            || !geometry.Horizontal.IsWhole
            || geometry.Vertical.PadBefore != geometry.Vertical.PadAfter
            || geometry.Horizontal.PadBefore != geometry.Horizontal.PadAfter)
        {
            return null;
        }

        // Its filters are transposed however the caller has them.
        Conv2DGeometry key = geometry with { HasTransposedFilter = true };
        using Lock.Scope scope = core.Enter();
        if (!_convolutions.TryGetValue((key, pass), out CudnnConvolution? convolution))
        {
            if (core.IsCapturing)
            {
                throw new DeviceException(
                    "cuda: no algorithm is chosen yet for a convolution; what is captured must have run before.");
            }

            Open();
            convolution = Choose(geometry, pass);
            _convolutions.Add((key, pass), convolution);
        }

        return convolution;
    }

    private void Open()
    {
        if (_handle != 0)
        {
            return;
        }

        // cuDNN opens cuBLAS by name, from the loader's path alone. Where that is somewhere else, it is found if it is open
        // already.
        _ = CudaLibraries.TryLoad(CudaLibraries.Cublas, out _, out _);
        nint handle;
        Check(
            nameof(cudnnCreate), cudnnCreate(&handle),
            " The folder that holds libcudnn.so.9 must hold cuDNN's other libraries, of the same version.");
        try
        {
            Check(nameof(cudnnSetStream), cudnnSetStream(handle, core.ComputeStream));
        }
        catch
        {
            _ = cudnnDestroy(handle);
            throw;
        }

        _handle = handle;
    }

    /// <summary>
    /// The first algorithm of the heuristics that is deterministic, computes in float32 and is content with the workspace; null
    /// where there is none.
    /// </summary>
    private CudnnConvolution? Choose(in Conv2DGeometry geometry, ConvolutionPass pass)
    {
        var convolution = new CudnnConvolution(geometry, allowTF32);
        try
        {
            CudnnAlgorithmPerformance* found = stackalloc CudnnAlgorithmPerformance[MostAlgorithms];
            int count = 0;
            CudnnStatus status = Ask(convolution, pass, &count, found);
            if (IsUnsupported(status))
            {
                count = 0;
            }
            else
            {
                Check($"cudnnGetConvolution{pass}Algorithm_v7", status, $" The convolution is {geometry}.");
            }

            for (int i = 0; i < count; i++)
            {
                if (found[i].Status != CudnnStatus.Success || found[i].Determinism != CudnnDeterminism.Deterministic
                    || !(found[i].MathType is CudnnMathType.Fma or CudnnMathType.Default
                        || (allowTF32 && found[i].MathType == CudnnMathType.TensorOp)))
                {
                    continue;
                }

                if (allowTF32)
                {
                    convolution.MathType = found[i].MathType;
                }

                // "Not supported" is an answer, the same in every run. A call that fails is none: going on with another
                // algorithm, or with our own kernels, would give other bits than a run in which it did not fail.
                nuint bytes;
                status = AskWorkspace(convolution, pass, found[i].Algorithm, &bytes);
                if (IsUnsupported(status))
                {
                    continue;
                }

                Check(
                    $"cudnnGetConvolution{pass}WorkspaceSize", status,
                    $" The convolution is {geometry}. CudaOptions.UseCudnn = false computes without cuDNN.");
                if (bytes <= (nuint)MostWorkspace)
                {
                    (convolution.Algorithm, convolution.WorkspaceBytes) = (found[i].Algorithm, bytes);
                    return convolution;
                }
            }
        }
        catch
        {
            convolution.Destroy();
            throw;
        }

        convolution.Destroy();
        return null;
    }

    private CudnnStatus Ask(CudnnConvolution c, ConvolutionPass pass, int* count, CudnnAlgorithmPerformance* found) => pass switch
    {
        ConvolutionPass.Forward =>
            cudnnGetConvolutionForwardAlgorithm_v7(_handle, c.X, c.Filter, c.Convolution, c.Y, MostAlgorithms, count, found),
        ConvolutionPass.BackwardData =>
            cudnnGetConvolutionBackwardDataAlgorithm_v7(_handle, c.Filter, c.Y, c.Convolution, c.X, MostAlgorithms, count, found),
        _ =>
            cudnnGetConvolutionBackwardFilterAlgorithm_v7(
                _handle, c.X, c.Y, c.Convolution, c.Filter, MostAlgorithms, count, found),
    };

    private CudnnStatus AskWorkspace(CudnnConvolution c, ConvolutionPass pass, int algorithm, nuint* bytes) => pass switch
    {
        ConvolutionPass.Forward =>
            cudnnGetConvolutionForwardWorkspaceSize(_handle, c.X, c.Filter, c.Convolution, c.Y, algorithm, bytes),
        ConvolutionPass.BackwardData =>
            cudnnGetConvolutionBackwardDataWorkspaceSize(_handle, c.Filter, c.Y, c.Convolution, c.X, algorithm, bytes),
        _ => cudnnGetConvolutionBackwardFilterWorkspaceSize(_handle, c.X, c.Y, c.Convolution, c.Filter, algorithm, bytes),
    };

    private void Launched(string call, CudnnStatus status, in Conv2DGeometry geometry)
    {
        if (status != CudnnStatus.Success)
        {
            Check(call, status, $" The convolution is {geometry}.");
        }

        core.CountLaunch();
    }

    internal static bool IsUnsupported(CudnnStatus status) => (int)status / 1000 == (int)CudnnStatus.NotSupported / 1000;

    /// <summary>The code, its name and the library's last words.</summary>
    private static string Told(CudnnStatus status)
    {
        const int length = 256;
        byte* words = stackalloc byte[length];
        words[0] = 0;
        cudnnGetLastErrorString(words, length);
        string last = Text(words);
        return $"{Text(cudnnGetErrorString(status))} ({(int)status}){(last.Length == 0 ? "." : $": {last}")}";
    }

    private static string Text(byte* text) =>
        Encoding.UTF8.GetString(System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
}
