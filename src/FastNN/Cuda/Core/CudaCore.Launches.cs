using FastNN.Kernels;
using ManagedCuda;
using ManagedCuda.BasicTypes;
using static ManagedCuda.DriverAPINativeMethods;

namespace FastNN.Cuda;

/// <summary>Kernels on their way to the GPU: one by one, or captured once and launched as a whole.</summary>
internal abstract unsafe partial class CudaCore
{
    /// <summary>The first CUDA whose driver instantiates graphs as they are instantiated here.</summary>
    private static readonly Version GraphsSince = new(11, 4);

    /// <summary>
    /// Where the driver finds the address of a kernel's one parameter. Reused, so that launches allocate nothing.
    /// </summary>
    [ThreadStatic]
    private static IntPtr[]? parameterAddress;

    /// <summary>Kernels and library calls launched or captured so far.</summary>
    private long _launches;

    public bool IsCapturing { get; private set; }

    public ILaunchGraph? Capture(Action work)
    {
        using Lock.Scope scope = Enter();
        RefuseWhileCapturing("captured");
        if (DriverVersion < GraphsSince)
        {
            return null;
        }

        long before = _launches;
        CUgraph graph = Record(work);
        try
        {
            CUgraphExec executable = default;
            Check(GraphManagment.cuGraphInstantiate(ref executable, graph, CUgraphInstantiate_flags.None));
            return new LaunchGraph(this, executable, (int)(_launches - before));
        }
        finally
        {
            _ = GraphManagment.cuGraphDestroy(graph);
        }
    }

    /// <summary>
    /// Launches a kernel of kernels/{family}.cu, whose one parameter is the struct. A grid without blocks does nothing.
    /// </summary>
    internal void Launch<TArguments>(string family, string kernel, Grid grid, in TArguments arguments)
        where TArguments : unmanaged
    {
        using Lock.Scope scope = Enter();
        if (grid.X == 0 || grid.Y == 0 || grid.Z == 0)
        {
            return;
        }

        CUfunction function = _kernels.Get(family, kernel, sizeof(TArguments), grid.Shared);
        IntPtr[] address = parameterAddress ??= new IntPtr[1];
        fixed (TArguments* pointer = &arguments)
        {
            address[0] = (IntPtr)pointer;
            CUResult result = DriverAPINativeMethods.Launch.cuLaunchKernel(
                function, (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)grid.Threads, 1, 1, (uint)grid.Shared, _compute,
                address, null);
            if (result != CUResult.Success)
            {
                Fail(result, nameof(DriverAPINativeMethods.Launch.cuLaunchKernel), $"The kernel is {kernel}, {grid}.");
            }
        }

        _launches++;
    }

    /// <summary>Runs work while the compute stream writes down what it is given.</summary>
    private CUgraph Record(Action work)
    {
        // Of this thread alone: what other threads ask of the driver meanwhile does no harm.
        Check(Streams.cuStreamBeginCapture(_compute, CUstreamCaptureMode.Local));
        IsCapturing = true;
        CUgraph graph = default;
        try
        {
            work();
        }
        catch
        {
            DropCapture();
            throw;
        }
        finally
        {
            IsCapturing = false;
        }

        CUResult result = Streams.cuStreamEndCapture(_compute, ref graph);
        if (result != CUResult.Success)
        {
            DropCapture();
            Fail(result, nameof(Streams.cuStreamEndCapture));
        }

        return graph;
    }

    /// <summary>
    /// Ends a capture in vain: a stream that still captures refuses everything, even that memory is given back.
    /// </summary>
    private void DropCapture()
    {
        CUgraph graph = default;
        if (Streams.cuStreamEndCapture(_compute, ref graph) == CUResult.Success && graph.Pointer != 0)
        {
            _ = GraphManagment.cuGraphDestroy(graph);
        }
    }

    private sealed class LaunchGraph(CudaCore core, CUgraphExec executable, int kernels) : Resource(core), ILaunchGraph
    {
        public int Kernels => kernels;

        public void Launch()
        {
            using Lock.Scope scope = Enter();
            Core.Check(GraphManagment.cuGraphLaunch(executable, Core._compute));
        }

        protected override void Release() => _ = GraphManagment.cuGraphExecDestroy(executable);
    }
}
