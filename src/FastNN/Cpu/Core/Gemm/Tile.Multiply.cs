using System.Runtime.CompilerServices;

namespace FastNN.Cpu;

/// <summary>
/// The register tile that everything in the engine multiplies with: R rows of C by one or two vectors, the sums in registers
/// over the whole of K, one broadcast of A and two loads of B feeding 2R multiply-adds.
///
/// Why 12x32 floats on AVX-512: 24 sums + 2 of B + 1 of A fit 32 registers, 24 independent sums hide the four cycles of the
/// two multiply-add units three times over, and 14 loads for 24 multiply-adds stay below two loads a cycle. 6x16 is the same
/// for the 16 registers of AVX2 (Goto and van de Geijn, 2008; Van Zee and van de Geijn, 2015).
///
/// Measured on Zen 5 (one core, 235 GFLOP/s in a loop of register-only multiply-adds): 230 GFLOP/s with A and B in the first
/// level, 86 to 95 % of the peak with B streaming from the second; AVX2 113, SSE 57, scalar 13 GFLOP/s.
///
/// A is reached in one of two ways. ROWS: through a pointer per row, which serves a row-major matrix and the pixels of a
/// convolution alike. PANEL: R neighbors in memory per step of k, which serves a transposed or packed A.
/// </summary>
internal static unsafe partial class Tile<TLanes>
    where TLanes : struct, IVectorLanes<TLanes>
{
    /// <summary>Steps of k from which it pays to ask for C's lines before the sums are ready.</summary>
    private const int PrefetchLength = 64;

    /// <summary>
    /// C (=|+=) sum over segments and k; see <see cref="Rows"/> and <see cref="Panel"/> for the meaning of the arguments.
    /// Compiled at once with full optimization: an unoptimized first pass would run some hundred times slower.
    /// </summary>
    [MethodImpl(KernelCode.Loop)]
    private static void Multiply<TRows, TVectors, TMask, TAccess>(
        float** a, nint aStep, nint* offsets, int segments, int length, float** bs, float* b, nint bStep,
        float* c, nint cStride, int rows, int cols, in Epilogue epilogue)
        where TRows : struct, IConstant
        where TVectors : struct, IConstant
        where TMask : struct, IConstant
        where TAccess : struct, IAccess
    {
        TLanes mask = TMask.Value != 0 ? TLanes.Mask(cols - ((TVectors.Value - 1) * TLanes.Count)) : default(TLanes);
        TLanes b0 = default(TLanes), b1 = default(TLanes);
        if (epilogue.Bias != null)
        {
            LoadPair<TVectors, TMask>(epilogue.Bias, mask, out b0, out b1);
        }

        // The bias is where the sums start: as cheap as zero, and one pass less at the end.
        TLanes c00 = b0, c01 = b1;
        TLanes c10 = b0, c11 = b1;
        TLanes c20 = b0, c21 = b1;
        TLanes c30 = b0, c31 = b1;
        TLanes c40 = b0, c41 = b1;
        TLanes c50 = b0, c51 = b1;
        TLanes c60 = b0, c61 = b1;
        TLanes c70 = b0, c71 = b1;
        TLanes c80 = b0, c81 = b1;
        TLanes c90 = b0, c91 = b1;
        TLanes c100 = b0, c101 = b1;
        TLanes c110 = b0, c111 = b1;
        TLanes c120 = b0, c121 = b1;

        if (segments * (long)length >= PrefetchLength)
        {
            PrefetchTile<TVectors>(c, cStride, rows);
        }

        float* a0 = a[0];
        float* a1 = TAccess.RowPointers && TRows.Value > 1 ? a[1] : a0;
        float* a2 = TAccess.RowPointers && TRows.Value > 2 ? a[2] : a0;
        float* a3 = TAccess.RowPointers && TRows.Value > 3 ? a[3] : a0;
        float* a4 = TAccess.RowPointers && TRows.Value > 4 ? a[4] : a0;
        float* a5 = TAccess.RowPointers && TRows.Value > 5 ? a[5] : a0;
        float* a6 = TAccess.RowPointers && TRows.Value > 6 ? a[6] : a0;
        float* a7 = TAccess.RowPointers && TRows.Value > 7 ? a[7] : a0;
        float* a8 = TAccess.RowPointers && TRows.Value > 8 ? a[8] : a0;
        float* a9 = TAccess.RowPointers && TRows.Value > 9 ? a[9] : a0;
        float* a10 = TAccess.RowPointers && TRows.Value > 10 ? a[10] : a0;
        float* a11 = TAccess.RowPointers && TRows.Value > 11 ? a[11] : a0;
        float* a12 = TAccess.RowPointers && TRows.Value > 12 ? a[12] : a0;

        for (int s = 0; s < segments; s++)
        {
            nint i = 0;
            if (TAccess.Runs)
            {
                i = offsets[s];
            }
            else
            {
                a0 = a[s];
                b = bs[s];
            }

            if (TAccess.PanelTail)
            {
                a1 = a0 + Math.Min(1, rows - 1);
                a2 = a0 + Math.Min(2, rows - 1);
                a3 = a0 + Math.Min(3, rows - 1);
                a4 = a0 + Math.Min(4, rows - 1);
                a5 = a0 + Math.Min(5, rows - 1);
                a6 = a0 + Math.Min(6, rows - 1);
                a7 = a0 + Math.Min(7, rows - 1);
                a8 = a0 + Math.Min(8, rows - 1);
                a9 = a0 + Math.Min(9, rows - 1);
                a10 = a0 + Math.Min(10, rows - 1);
                a11 = a0 + Math.Min(11, rows - 1);
            }

            for (int k = length; k > 0; k--)
            {
                LoadPair<TVectors, TMask>(b, mask, out b0, out b1);

                // For one vector in one expression: then the instruction itself broadcasts.
                if (TVectors.Value == 1)
                {
                    c00 = TLanes.MultiplyAdd(TLanes.Broadcast(a0[i]), b0, c00);
                }
                else
                {
                    TLanes x = TLanes.Broadcast(a0[i]);
                    c00 = TLanes.MultiplyAdd(x, b0, c00);
                    c01 = TLanes.MultiplyAdd(x, b1, c01);
                }

                if (TRows.Value > 1)
                {
                    if (TVectors.Value == 1)
                    {
                        c10 = TLanes.MultiplyAdd(TLanes.Broadcast((TAccess.Packed ? a0 + TAccess.Spacing : a1)[i]), b0, c10);
                    }
                    else
                    {
                        TLanes x = TLanes.Broadcast((TAccess.Packed ? a0 + TAccess.Spacing : a1)[i]);
                        c10 = TLanes.MultiplyAdd(x, b0, c10);
                        c11 = TLanes.MultiplyAdd(x, b1, c11);
                    }
                }

                if (TRows.Value > 2)
                {
                    if (TVectors.Value == 1)
                    {
                        c20 = TLanes.MultiplyAdd(
                            TLanes.Broadcast((TAccess.Packed ? a0 + (2 * TAccess.Spacing) : a2)[i]), b0, c20);
                    }
                    else
                    {
                        TLanes x = TLanes.Broadcast((TAccess.Packed ? a0 + (2 * TAccess.Spacing) : a2)[i]);
                        c20 = TLanes.MultiplyAdd(x, b0, c20);
                        c21 = TLanes.MultiplyAdd(x, b1, c21);
                    }
                }

                if (TRows.Value > 3)
                {
                    if (TVectors.Value == 1)
                    {
                        c30 = TLanes.MultiplyAdd(
                            TLanes.Broadcast((TAccess.Packed ? a0 + (3 * TAccess.Spacing) : a3)[i]), b0, c30);
                    }
                    else
                    {
                        TLanes x = TLanes.Broadcast((TAccess.Packed ? a0 + (3 * TAccess.Spacing) : a3)[i]);
                        c30 = TLanes.MultiplyAdd(x, b0, c30);
                        c31 = TLanes.MultiplyAdd(x, b1, c31);
                    }
                }

                if (TRows.Value > 4)
                {
                    if (TVectors.Value == 1)
                    {
                        c40 = TLanes.MultiplyAdd(
                            TLanes.Broadcast((TAccess.Packed ? a0 + (4 * TAccess.Spacing) : a4)[i]), b0, c40);
                    }
                    else
                    {
                        TLanes x = TLanes.Broadcast((TAccess.Packed ? a0 + (4 * TAccess.Spacing) : a4)[i]);
                        c40 = TLanes.MultiplyAdd(x, b0, c40);
                        c41 = TLanes.MultiplyAdd(x, b1, c41);
                    }
                }

                if (TRows.Value > 5)
                {
                    if (TVectors.Value == 1)
                    {
                        c50 = TLanes.MultiplyAdd(
                            TLanes.Broadcast((TAccess.Packed ? a0 + (5 * TAccess.Spacing) : a5)[i]), b0, c50);
                    }
                    else
                    {
                        TLanes x = TLanes.Broadcast((TAccess.Packed ? a0 + (5 * TAccess.Spacing) : a5)[i]);
                        c50 = TLanes.MultiplyAdd(x, b0, c50);
                        c51 = TLanes.MultiplyAdd(x, b1, c51);
                    }
                }

                if (TRows.Value > 6)
                {
                    if (TVectors.Value == 1)
                    {
                        c60 = TLanes.MultiplyAdd(
                            TLanes.Broadcast((TAccess.Packed ? a0 + (6 * TAccess.Spacing) : a6)[i]), b0, c60);
                    }
                    else
                    {
                        TLanes x = TLanes.Broadcast((TAccess.Packed ? a0 + (6 * TAccess.Spacing) : a6)[i]);
                        c60 = TLanes.MultiplyAdd(x, b0, c60);
                        c61 = TLanes.MultiplyAdd(x, b1, c61);
                    }
                }

                if (TRows.Value > 7)
                {
                    if (TVectors.Value == 1)
                    {
                        c70 = TLanes.MultiplyAdd(
                            TLanes.Broadcast((TAccess.Packed ? a0 + (7 * TAccess.Spacing) : a7)[i]), b0, c70);
                    }
                    else
                    {
                        TLanes x = TLanes.Broadcast((TAccess.Packed ? a0 + (7 * TAccess.Spacing) : a7)[i]);
                        c70 = TLanes.MultiplyAdd(x, b0, c70);
                        c71 = TLanes.MultiplyAdd(x, b1, c71);
                    }
                }

                if (TRows.Value > 8)
                {
                    if (TVectors.Value == 1)
                    {
                        c80 = TLanes.MultiplyAdd(
                            TLanes.Broadcast((TAccess.Packed ? a0 + (8 * TAccess.Spacing) : a8)[i]), b0, c80);
                    }
                    else
                    {
                        TLanes x = TLanes.Broadcast((TAccess.Packed ? a0 + (8 * TAccess.Spacing) : a8)[i]);
                        c80 = TLanes.MultiplyAdd(x, b0, c80);
                        c81 = TLanes.MultiplyAdd(x, b1, c81);
                    }
                }

                if (TRows.Value > 9)
                {
                    if (TVectors.Value == 1)
                    {
                        c90 = TLanes.MultiplyAdd(
                            TLanes.Broadcast((TAccess.Packed ? a0 + (9 * TAccess.Spacing) : a9)[i]), b0, c90);
                    }
                    else
                    {
                        TLanes x = TLanes.Broadcast((TAccess.Packed ? a0 + (9 * TAccess.Spacing) : a9)[i]);
                        c90 = TLanes.MultiplyAdd(x, b0, c90);
                        c91 = TLanes.MultiplyAdd(x, b1, c91);
                    }
                }

                if (TRows.Value > 10)
                {
                    if (TVectors.Value == 1)
                    {
                        c100 = TLanes.MultiplyAdd(
                            TLanes.Broadcast((TAccess.Packed ? a0 + (10 * TAccess.Spacing) : a10)[i]), b0, c100);
                    }
                    else
                    {
                        TLanes x = TLanes.Broadcast((TAccess.Packed ? a0 + (10 * TAccess.Spacing) : a10)[i]);
                        c100 = TLanes.MultiplyAdd(x, b0, c100);
                        c101 = TLanes.MultiplyAdd(x, b1, c101);
                    }
                }

                if (TRows.Value > 11)
                {
                    if (TVectors.Value == 1)
                    {
                        c110 = TLanes.MultiplyAdd(
                            TLanes.Broadcast((TAccess.Packed ? a0 + (11 * TAccess.Spacing) : a11)[i]), b0, c110);
                    }
                    else
                    {
                        TLanes x = TLanes.Broadcast((TAccess.Packed ? a0 + (11 * TAccess.Spacing) : a11)[i]);
                        c110 = TLanes.MultiplyAdd(x, b0, c110);
                        c111 = TLanes.MultiplyAdd(x, b1, c111);
                    }
                }

                if (TRows.Value > 12)
                {
                    if (TVectors.Value == 1)
                    {
                        c120 = TLanes.MultiplyAdd(
                            TLanes.Broadcast((TAccess.Packed ? a0 + (12 * TAccess.Spacing) : a12)[i]), b0, c120);
                    }
                    else
                    {
                        TLanes x = TLanes.Broadcast((TAccess.Packed ? a0 + (12 * TAccess.Spacing) : a12)[i]);
                        c120 = TLanes.MultiplyAdd(x, b0, c120);
                        c121 = TLanes.MultiplyAdd(x, b1, c121);
                    }
                }

                i += TAccess.Runs ? 1 : aStep;
                b += bStep;
            }
        }

        if (epilogue.Accumulate)
        {
            float* row = c;
            if (TRows.Value > 0 && (Least<TRows>() > 0 || rows > 0))
            {
                if (TVectors.Value > 1)
                {
                    c00 = c00 + TLanes.Load(row);
                    c01 = c01 + Last<TMask>(row + TLanes.Count, mask);
                }
                else
                {
                    c00 = c00 + Last<TMask>(row, mask);
                }

                row += cStride;
            }

            if (TRows.Value > 1 && (Least<TRows>() > 1 || rows > 1))
            {
                if (TVectors.Value > 1)
                {
                    c10 = c10 + TLanes.Load(row);
                    c11 = c11 + Last<TMask>(row + TLanes.Count, mask);
                }
                else
                {
                    c10 = c10 + Last<TMask>(row, mask);
                }

                row += cStride;
            }

            if (TRows.Value > 2 && (Least<TRows>() > 2 || rows > 2))
            {
                if (TVectors.Value > 1)
                {
                    c20 = c20 + TLanes.Load(row);
                    c21 = c21 + Last<TMask>(row + TLanes.Count, mask);
                }
                else
                {
                    c20 = c20 + Last<TMask>(row, mask);
                }

                row += cStride;
            }

            if (TRows.Value > 3 && (Least<TRows>() > 3 || rows > 3))
            {
                if (TVectors.Value > 1)
                {
                    c30 = c30 + TLanes.Load(row);
                    c31 = c31 + Last<TMask>(row + TLanes.Count, mask);
                }
                else
                {
                    c30 = c30 + Last<TMask>(row, mask);
                }

                row += cStride;
            }

            if (TRows.Value > 4 && (Least<TRows>() > 4 || rows > 4))
            {
                if (TVectors.Value > 1)
                {
                    c40 = c40 + TLanes.Load(row);
                    c41 = c41 + Last<TMask>(row + TLanes.Count, mask);
                }
                else
                {
                    c40 = c40 + Last<TMask>(row, mask);
                }

                row += cStride;
            }

            if (TRows.Value > 5 && (Least<TRows>() > 5 || rows > 5))
            {
                if (TVectors.Value > 1)
                {
                    c50 = c50 + TLanes.Load(row);
                    c51 = c51 + Last<TMask>(row + TLanes.Count, mask);
                }
                else
                {
                    c50 = c50 + Last<TMask>(row, mask);
                }

                row += cStride;
            }

            if (TRows.Value > 6 && (Least<TRows>() > 6 || rows > 6))
            {
                if (TVectors.Value > 1)
                {
                    c60 = c60 + TLanes.Load(row);
                    c61 = c61 + Last<TMask>(row + TLanes.Count, mask);
                }
                else
                {
                    c60 = c60 + Last<TMask>(row, mask);
                }

                row += cStride;
            }

            if (TRows.Value > 7 && (Least<TRows>() > 7 || rows > 7))
            {
                if (TVectors.Value > 1)
                {
                    c70 = c70 + TLanes.Load(row);
                    c71 = c71 + Last<TMask>(row + TLanes.Count, mask);
                }
                else
                {
                    c70 = c70 + Last<TMask>(row, mask);
                }

                row += cStride;
            }

            if (TRows.Value > 8 && (Least<TRows>() > 8 || rows > 8))
            {
                if (TVectors.Value > 1)
                {
                    c80 = c80 + TLanes.Load(row);
                    c81 = c81 + Last<TMask>(row + TLanes.Count, mask);
                }
                else
                {
                    c80 = c80 + Last<TMask>(row, mask);
                }

                row += cStride;
            }

            if (TRows.Value > 9 && rows > 9)
            {
                if (TVectors.Value > 1)
                {
                    c90 = c90 + TLanes.Load(row);
                    c91 = c91 + Last<TMask>(row + TLanes.Count, mask);
                }
                else
                {
                    c90 = c90 + Last<TMask>(row, mask);
                }

                row += cStride;
            }

            if (TRows.Value > 10 && rows > 10)
            {
                if (TVectors.Value > 1)
                {
                    c100 = c100 + TLanes.Load(row);
                    c101 = c101 + Last<TMask>(row + TLanes.Count, mask);
                }
                else
                {
                    c100 = c100 + Last<TMask>(row, mask);
                }

                row += cStride;
            }

            if (TRows.Value > 11 && rows > 11)
            {
                if (TVectors.Value > 1)
                {
                    c110 = c110 + TLanes.Load(row);
                    c111 = c111 + Last<TMask>(row + TLanes.Count, mask);
                }
                else
                {
                    c110 = c110 + Last<TMask>(row, mask);
                }

                row += cStride;
            }

            if (TRows.Value > 12 && rows > 12)
            {
                if (TVectors.Value > 1)
                {
                    c120 = c120 + TLanes.Load(row);
                    c121 = c121 + Last<TMask>(row + TLanes.Count, mask);
                }
                else
                {
                    c120 = c120 + Last<TMask>(row, mask);
                }

                row += cStride;
            }
        }

        // One decision for all sums, which would wait longer for two dozen than a short product for its multiply-adds.
        bool isLeaky = epilogue.Rectifier == Rectifier.Leaky;
        if (epilogue.Rectifier != Rectifier.None && !isLeaky)
        {
            // Not a property of it: in so long a method the JIT may call one, and all sums would go through the stack.
            TLanes bound = TLanes.Broadcast(
                epilogue.Rectifier == Rectifier.Bounded ? epilogue.Parameter : float.PositiveInfinity);
            if (TRows.Value > 0)
            {
                c00 = TLanes.AtMost(TLanes.Positive(c00), bound);
                c01 = TVectors.Value > 1 ? TLanes.AtMost(TLanes.Positive(c01), bound) : c01;
            }

            if (TRows.Value > 1)
            {
                c10 = TLanes.AtMost(TLanes.Positive(c10), bound);
                c11 = TVectors.Value > 1 ? TLanes.AtMost(TLanes.Positive(c11), bound) : c11;
            }

            if (TRows.Value > 2)
            {
                c20 = TLanes.AtMost(TLanes.Positive(c20), bound);
                c21 = TVectors.Value > 1 ? TLanes.AtMost(TLanes.Positive(c21), bound) : c21;
            }

            if (TRows.Value > 3)
            {
                c30 = TLanes.AtMost(TLanes.Positive(c30), bound);
                c31 = TVectors.Value > 1 ? TLanes.AtMost(TLanes.Positive(c31), bound) : c31;
            }

            if (TRows.Value > 4)
            {
                c40 = TLanes.AtMost(TLanes.Positive(c40), bound);
                c41 = TVectors.Value > 1 ? TLanes.AtMost(TLanes.Positive(c41), bound) : c41;
            }

            if (TRows.Value > 5)
            {
                c50 = TLanes.AtMost(TLanes.Positive(c50), bound);
                c51 = TVectors.Value > 1 ? TLanes.AtMost(TLanes.Positive(c51), bound) : c51;
            }

            if (TRows.Value > 6)
            {
                c60 = TLanes.AtMost(TLanes.Positive(c60), bound);
                c61 = TVectors.Value > 1 ? TLanes.AtMost(TLanes.Positive(c61), bound) : c61;
            }

            if (TRows.Value > 7)
            {
                c70 = TLanes.AtMost(TLanes.Positive(c70), bound);
                c71 = TVectors.Value > 1 ? TLanes.AtMost(TLanes.Positive(c71), bound) : c71;
            }

            if (TRows.Value > 8)
            {
                c80 = TLanes.AtMost(TLanes.Positive(c80), bound);
                c81 = TVectors.Value > 1 ? TLanes.AtMost(TLanes.Positive(c81), bound) : c81;
            }

            if (TRows.Value > 9)
            {
                c90 = TLanes.AtMost(TLanes.Positive(c90), bound);
                c91 = TVectors.Value > 1 ? TLanes.AtMost(TLanes.Positive(c91), bound) : c91;
            }

            if (TRows.Value > 10)
            {
                c100 = TLanes.AtMost(TLanes.Positive(c100), bound);
                c101 = TVectors.Value > 1 ? TLanes.AtMost(TLanes.Positive(c101), bound) : c101;
            }

            if (TRows.Value > 11)
            {
                c110 = TLanes.AtMost(TLanes.Positive(c110), bound);
                c111 = TVectors.Value > 1 ? TLanes.AtMost(TLanes.Positive(c111), bound) : c111;
            }

            if (TRows.Value > 12)
            {
                c120 = TLanes.AtMost(TLanes.Positive(c120), bound);
                c121 = TVectors.Value > 1 ? TLanes.AtMost(TLanes.Positive(c121), bound) : c121;
            }
        }

        float* target = c;
        if (TRows.Value > 0 && (Least<TRows>() > 0 || rows > 0))
        {
            StorePair<TVectors, TMask>(target, mask, c00, c01);
            target += cStride;
        }

        if (TRows.Value > 1 && (Least<TRows>() > 1 || rows > 1))
        {
            StorePair<TVectors, TMask>(target, mask, c10, c11);
            target += cStride;
        }

        if (TRows.Value > 2 && (Least<TRows>() > 2 || rows > 2))
        {
            StorePair<TVectors, TMask>(target, mask, c20, c21);
            target += cStride;
        }

        if (TRows.Value > 3 && (Least<TRows>() > 3 || rows > 3))
        {
            StorePair<TVectors, TMask>(target, mask, c30, c31);
            target += cStride;
        }

        if (TRows.Value > 4 && (Least<TRows>() > 4 || rows > 4))
        {
            StorePair<TVectors, TMask>(target, mask, c40, c41);
            target += cStride;
        }

        if (TRows.Value > 5 && (Least<TRows>() > 5 || rows > 5))
        {
            StorePair<TVectors, TMask>(target, mask, c50, c51);
            target += cStride;
        }

        if (TRows.Value > 6 && (Least<TRows>() > 6 || rows > 6))
        {
            StorePair<TVectors, TMask>(target, mask, c60, c61);
            target += cStride;
        }

        if (TRows.Value > 7 && (Least<TRows>() > 7 || rows > 7))
        {
            StorePair<TVectors, TMask>(target, mask, c70, c71);
            target += cStride;
        }

        if (TRows.Value > 8 && (Least<TRows>() > 8 || rows > 8))
        {
            StorePair<TVectors, TMask>(target, mask, c80, c81);
            target += cStride;
        }

        if (TRows.Value > 9 && rows > 9)
        {
            StorePair<TVectors, TMask>(target, mask, c90, c91);
            target += cStride;
        }

        if (TRows.Value > 10 && rows > 10)
        {
            StorePair<TVectors, TMask>(target, mask, c100, c101);
            target += cStride;
        }

        if (TRows.Value > 11 && rows > 11)
        {
            StorePair<TVectors, TMask>(target, mask, c110, c111);
            target += cStride;
        }

        if (TRows.Value > 12 && rows > 12)
        {
            StorePair<TVectors, TMask>(target, mask, c120, c121);
            target += cStride;
        }

        if (isLeaky)
        {
            LeakyRows(c, cStride, rows, cols, epilogue.Parameter);
        }
        else if (epilogue.NeedsFinish)
        {
            epilogue.Finish(c, cStride, rows, cols);
        }
    }
}
