using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Elements put where indices say. Lines are independent, and along one the indices are followed in their order, so that the same
/// bits come out however the work is cut: by lines, and where there are few of them by ranges of the table, each of which reads
/// all indices.
/// </summary>
internal sealed unsafe partial class CpuIndexing
{
    /// <summary>Lines of a task where they are neighbors: their elements of one index are a run.</summary>
    private const int LineChunk = 1024;

    /// <summary>What becomes of an element of the table and the picked one that belongs to it.</summary>
    private interface IMove<T>
        where T : unmanaged
    {
        /// <summary>Whether the indices are followed from the last to the first.</summary>
        static abstract bool FromTheEnd { get; }

        void One(T* table, T* picked);

        void Run<TLanes>(T* table, T* picked, int count)
            where TLanes : struct, IVectorLanes<TLanes>;
    }

    public void Scatter(string name, Tensor index, Tensor? picked, ulong constant, Tensor table, IndexedAxes axes)
    {
        RequireIndices(name, index, axes.Extent);
        nint from = picked is null ? 0 : picked.Address;
        switch (table.Type.Size())
        {
            case 1:
                Scatter(index, (byte*)from, (byte*)table.Address, axes, new Put<byte>((byte)constant));
                break;
            case 2:
                Scatter(index, (ushort*)from, (ushort*)table.Address, axes, new Put<ushort>((ushort)constant));
                break;
            case 4:
                Scatter(index, (uint*)from, (uint*)table.Address, axes, new Put<uint>((uint)constant));
                break;
            default:
                Scatter(index, (ulong*)from, (ulong*)table.Address, axes, new Put<ulong>(constant));
                break;
        }
    }

    public void ScatterAdd(string name, Tensor index, Tensor picked, Tensor table, IndexedAxes axes)
    {
        RequireIndices(name, index, axes.Extent);
        Scatter(index, Floats(picked), Floats(table), axes, default(AddTo));
    }

    public void Take(Tensor index, Tensor table, Tensor? picked, IndexedAxes axes, bool accumulate)
    {
        if (accumulate)
        {
            Scatter(index, Floats(picked), Floats(table), axes, default(TakeFrom<Accumulate>));
        }
        else
        {
            Scatter(index, Floats(picked), Floats(table), axes, default(TakeFrom<Assign>));
        }
    }

    private void Scatter<T, TMove>(Tensor index, T* picked, T* table, IndexedAxes axes, TMove move)
        where T : unmanaged
        where TMove : struct, IMove<T>
    {
        if (index.Count == 0 || axes.Lines.Count == 0)
        {
            return;
        }

        (nint _, nint tableStep, nint pickedStep) = Steps(axes.Lines);
        bool isRun = tableStep == 1 && (pickedStep == 1 || picked is null);
        int chunk = isRun ? LineChunk : 1, chunks = (axes.Lines.Inner + chunk - 1) / chunk;
        long tasks = (long)axes.Lines.Outer * chunks, work = axes.Lines.Count * axes.Terms;
        int parts = work > ElementLoop.Serial && tasks < 2 * Threads ? Math.Clamp(2 * Threads, 1, axes.Extent) : 1;
        RowLoop.Run(
            Pool, Tensor.Index(tasks * parts), work / tasks,
            new ScatterLines<T, TMove>(new IndexList(index), picked, table, axes.Lines, axes, chunk, chunks, parts, move));
    }

    private readonly struct ScatterLines<T, TMove> : IRowBody
        where T : unmanaged
        where TMove : struct, IMove<T>
    {
        private readonly IndexList _indices;
        private readonly T* _picked;
        private readonly T* _table;
        private readonly StridedAxes _lines;
        private readonly TMove _move;
        private readonly nint _indexStep, _pickedStep, _tableStep;
        private readonly int _terms, _extent, _chunk, _chunks, _parts;

        public ScatterLines(
            IndexList indices, T* picked, T* table, in StridedAxes lines, IndexedAxes axes, int chunk, int chunks, int parts,
            TMove move)
        {
            (_indices, _lines, _move) = (indices, lines, move);
            _picked = picked;
            _table = table;
            (_indexStep, _pickedStep, _tableStep) = ((nint)axes.IndexStep, (nint)axes.PickedStep, (nint)axes.TableStep);
            (_terms, _extent, _chunk, _chunks, _parts) = (axes.Terms, axes.Extent, chunk, chunks, parts);
        }

        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            (nint indexStep, nint tableStep, nint pickedStep) = Steps(_lines);
            for (nint task = start; task < end; task++)
            {
                (nint lines, nint part) = Math.DivRem(task, _parts);
                (nint row, nint piece) = Math.DivRem(lines, _chunks);
                _lines.Locate(row, out nint at, out nint to, out nint from);
                nint first = piece * _chunk;
                at += first * indexStep;
                to += first * tableStep;
                from += first * pickedStep;
                int count = (int)Math.Min(_chunk, _lines.Inner - first);
                long low = (long)_extent * part / _parts, high = (long)_extent * (part + 1) / _parts;
                for (int i = 0; i < _terms; i++)
                {
                    int term = TMove.FromTheEnd ? _terms - 1 - i : i;
                    nint index = at + (term * _indexStep), picked = from + (term * _pickedStep);
                    if (indexStep == 0 && count > 1)
                    {
                        long place = _indices[index];
                        if (place >= low && place < high)
                        {
                            _move.Run<TLanes>(_table + to + ((nint)place * _tableStep), Picked(picked), count);
                        }

                        continue;
                    }

                    for (int line = 0; line < count; line++)
                    {
                        long place = _indices[index + (line * indexStep)];
                        if (place >= low && place < high)
                        {
                            _move.One(
                                _table + to + (line * tableStep) + ((nint)place * _tableStep),
                                Picked(picked + (line * pickedStep)));
                        }
                    }
                }
            }
        }

        private T* Picked(nint element) => _picked is null ? null : _picked + element;
    }

    private readonly struct Put<T>(T constant) : IMove<T>
        where T : unmanaged
    {
        public static bool FromTheEnd => false;

        public void One(T* table, T* picked) => *table = picked is null ? constant : *picked;

        public void Run<TLanes>(T* table, T* picked, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            if (picked is null)
            {
                new Span<T>(table, count).Fill(constant);
            }
            else
            {
                new ReadOnlySpan<T>(picked, count).CopyTo(new Span<T>(table, count));
            }
        }
    }

    private readonly struct AddTo : IMove<float>
    {
        public static bool FromTheEnd => false;

        public void One(float* table, float* picked) => *table += *picked;

        public void Run<TLanes>(float* table, float* picked, int count)
            where TLanes : struct, IVectorLanes<TLanes> =>
            ElementLoop.Range<TLanes, UnaryMap<Identity, Accumulate>>(new(picked, table, default), 0, count);
    }

    private readonly struct TakeFrom<TStore> : IMove<float>
        where TStore : struct, IStore
    {
        public static bool FromTheEnd => true;

        public void One(float* table, float* picked)
        {
            if (picked is not null)
            {
                TStore.Store(picked, new Lanes1(*table), 1);
            }

            *table = 0;
        }

        public void Run<TLanes>(float* table, float* picked, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            if (picked is not null)
            {
                ElementLoop.Range<TLanes, UnaryMap<Identity, TStore>>(new(table, picked, default), 0, count);
            }

            new Span<float>(table, count).Clear();
        }
    }
}
