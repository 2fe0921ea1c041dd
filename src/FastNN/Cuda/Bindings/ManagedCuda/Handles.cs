namespace ManagedCuda.BasicTypes;

// What the driver hands out. Each is one machine word (CUdevice an int), passed by value.

/// <summary>An address in device memory.</summary>
internal struct CUdeviceptr
{
    public SizeT Pointer;

    public CUdeviceptr(SizeT pointer) => Pointer = pointer;

    public static implicit operator ulong(CUdeviceptr value) => value.Pointer;

    public static explicit operator CUdeviceptr(SizeT value) => new(value);
}

internal struct CUdevice
{
    public int Pointer;
}

internal struct CUcontext
{
    public IntPtr Pointer;
}

internal struct CUmodule
{
    public IntPtr Pointer;
}

internal struct CUfunction
{
    public IntPtr Pointer;
}

internal struct CUstream
{
    public IntPtr Pointer;
}

internal struct CUevent
{
    public IntPtr Pointer;
}

internal struct CUgraph
{
    public IntPtr Pointer;
}

internal struct CUgraphNode
{
    public IntPtr Pointer;
}

internal struct CUgraphExec
{
    public IntPtr Pointer;
}

internal struct CUmemoryPool
{
    public IntPtr Pointer;
}

/// <summary>Why a graph could not be updated in place.</summary>
internal struct CUgraphExecUpdateResultInfo
{
    public CUgraphExecUpdateResult result;
    public CUgraphNode errorNode;
    public CUgraphNode errorFromNode;
}

internal delegate SizeT del_CUoccupancyB2DSize(int aBlockSize);
