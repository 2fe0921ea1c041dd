using FastNN.Tensors;
using ManagedCuda.BasicTypes;
using static ManagedCuda.DriverAPINativeMethods;

namespace FastNN.Cuda;

/// <summary>
/// Bytes to and from the GPU, always through pinned memory: only from there do copies run beside everything else.
/// </summary>
internal abstract unsafe partial class CudaCore
{
    /// <summary>A download larger than this comes in pieces, one being read while the next is on its way.</summary>
    private const int PieceBytes = 512 * 1024;

    private readonly Stack<Piece> _idlePieces = new();

    public void Upload(ReadOnlySpan<byte> source, Tensor destination)
    {
        if (source.Length != destination.Bytes)
        {
            throw new ShapeException(
                $"cuda: {source.Length} bytes cannot be copied into {destination} of {destination.Bytes} bytes.");
        }

        for (int at = 0; at < source.Length;)
        {
            CUevent busy;
            using (Enter())
            {
                RefuseWhileCapturing("uploaded");
                ReadOnlySpan<byte> rest = source[at..];
                if (_staging.Take(rest.Length, out Span<byte> staged, out busy))
                {
                    rest[..staged.Length].CopyTo(staged);
                    fixed (byte* from = staged)
                    {
                        Check(
                            AsynchronousMemcpy_v2.cuMemcpyHtoDAsync_v2(
                                Pointer(destination.Address + at), (IntPtr)from, staged.Length, _compute));
                    }

                    at += staged.Length;
                    continue;
                }
            }

            Wait(busy);
        }
    }

    public void Download(Tensor source, Span<byte> destination)
    {
        if (destination.Length > source.Bytes)
        {
            throw new ShapeException($"cuda: {destination.Length} bytes cannot be copied from {source} of {source.Bytes} bytes.");
        }

        Piece? first = null;
        Piece? second = null;
        try
        {
            for (int asked = 0, read = 0; read < destination.Length;)
            {
                while (asked < destination.Length && second is null)
                {
                    Piece next = Ask(source.Address + asked, Math.Min(PieceBytes, destination.Length - asked));
                    (first, second) = first is null ? (next, null) : (first, next);
                    asked += next.Bytes;
                }

                Wait(first!.Arrived);
                first.Content.CopyTo(destination[read..]);
                read += first.Bytes;
                GiveBack(first);
                (first, second) = (second, null);
            }
        }
        finally
        {
            GiveBack(first);
            GiveBack(second);
        }
    }

    /// <summary>Copies within the GPU's memory, in the order of launches.</summary>
    private void CopyDeviceToDevice(nint destination, nint source, long bytes)
    {
        using Lock.Scope scope = Enter();
        if (bytes > 0)
        {
            Check(AsynchronousMemcpy_v2.cuMemcpyDtoDAsync_v2(Pointer(destination), Pointer(source), bytes, _compute));
        }
    }

    /// <summary>Begins to copy a piece into pinned memory.</summary>
    private Piece Ask(nint source, int bytes)
    {
        using Lock.Scope scope = Enter();
        RefuseWhileCapturing("downloaded");
        Piece piece = _idlePieces.Count > 0 ? _idlePieces.Pop() : CreatePiece();
        try
        {
            piece.Bytes = bytes;
            Check(AsynchronousMemcpy_v2.cuMemcpyDtoHAsync_v2(piece.Address, Pointer(source), bytes, _compute));
            Check(Events.cuEventRecord(piece.Arrived, _compute));
        }
        catch
        {
            _idlePieces.Push(piece);
            throw;
        }

        Interlocked.Increment(ref _outside);
        return piece;
    }

    private void GiveBack(Piece? piece)
    {
        if (piece is null)
        {
            return;
        }

        using (_gate.EnterScope())
        {
            _idlePieces.Push(piece);
        }

        Interlocked.Decrement(ref _outside);
    }

    private Piece CreatePiece()
    {
        IntPtr address = AllocatePinned(PieceBytes);
        try
        {
            return new Piece(address, CreateEvent());
        }
        catch
        {
            _ = MemoryManagement.cuMemFreeHost(address);
            throw;
        }
    }

    private void ReleasePieces()
    {
        while (_idlePieces.TryPop(out Piece? piece))
        {
            _ = Events.cuEventDestroy_v2(piece.Arrived);
            _ = MemoryManagement.cuMemFreeHost(piece.Address);
        }
    }

    private sealed class Piece(IntPtr address, CUevent arrived)
    {
        public IntPtr Address => address;

        public CUevent Arrived => arrived;

        public int Bytes { get; set; }

        public ReadOnlySpan<byte> Content => new((void*)address, Bytes);
    }
}
