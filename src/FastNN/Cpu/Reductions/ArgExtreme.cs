using System.Runtime.CompilerServices;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Places of extremes: each term is read until the last of its columns is found, 64 columns side by side, so 4 bytes per term at
/// most.
/// </summary>
internal sealed unsafe partial class CpuReductions
{
    public void FirstEqual(Tensor x, Tensor extreme, Tensor y, int terms, int inner) =>
        RowLoop.Run(
            Pool, Tensor.Index(y.Count), terms, new FindFirst(Floats(x), Floats(extreme), (long*)y.Address, terms, inner));

    private readonly struct FindFirst(float* x, float* extreme, long* y, int terms, int inner) : IRowBody
    {
        private const int Columns = 64;

        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint output = start; output < end;)
            {
                nint outer = output / inner, column = output - (outer * inner);
                int columns = (int)Math.Min(Math.Min(end - output, inner - column), Columns);
                Find(x + (outer * terms * inner) + column, extreme + output, y + output, columns);
                output += columns;
            }
        }

        private void Find(float* from, float* wanted, long* found, int columns)
        {
            new Span<long>(found, columns).Fill(-1);
            int left = columns;
            for (nint term = 0; term < terms && left > 0; term++)
            {
                float* row = from + (term * inner);
                for (int i = 0; i < columns; i++)
                {
                    if (found[i] < 0 && Matches(row[i], wanted[i]))
                    {
                        found[i] = term;
                        left--;
                    }
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static bool Matches(float value, float extreme) =>
            value == extreme || (float.IsNaN(value) && float.IsNaN(extreme));
    }
}
