using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Convolution on one SIMD rung. Forward and backward-data are indirect GEMMs, backward-filter sums outer products over the
/// same pixels; depthwise filters, which have nothing to reuse, get loops of their own.
/// </summary>
/// <remarks>
/// 2*KH*KW*C/groups flops per element of y in each of the three passes; x, y, w and their gradients are each read or written
/// once from memory, w twice where it is packed. Of the FMA peak of one core (238 GFLOP/s, Zen 5 with AVX-512, measured as
/// flops over processor time, padding counted as work), forward / backward-data / backward-filter reach:
/// 32->64 3x3 13x13 b32 91/89/86 %, 64->64 3x3 56x56 b8 89/90/78 %, 256->256 3x3 14x14 b8 92/91/90 %,
/// 256->64 1x1 56x56 b8 65/71/59 %, 3->64 7x7 stride 2 224x224 b1 89/52/54 %, 3->6 5x5 32x32 b4 39/18/40 %.
/// </remarks>
internal static unsafe partial class Convolution<TLanes>
    where TLanes : struct, IVectorLanes<TLanes>
{
    private static int PanelWidth => Tile<TLanes>.MaxCols;

    /// <summary>Bytes of workspace of a pass, a pure function of the shape.</summary>
    public static long WorkspaceBytes(in Conv2DGeometry geometry, ConvolutionPass pass, bool allowWinograd = true) => pass switch
    {
        _ when IsProduct(geometry) => ProductWorkspaceBytes(geometry, pass),
        _ when IsDepthwise(geometry) => DepthwiseWorkspaceBytes(geometry, pass),
        ConvolutionPass.BackwardFilter when allowWinograd && Winograd<TLanes>.Pays(geometry, pass) =>
            Math.Max(Winograd<TLanes>.WorkspaceBytes(geometry, pass), BiasPartialBytes(geometry)),
        _ when allowWinograd && Winograd<TLanes>.Pays(geometry, pass) => Winograd<TLanes>.WorkspaceBytes(geometry, pass),
        ConvolutionPass.Forward when WidenedPixels(geometry) is int pixels and > 1 => WidenedWorkspaceBytes(geometry, pixels),
        ConvolutionPass.Forward => IsPacked(geometry) ? geometry.FilterCount * sizeof(float) : 0,
        ConvolutionPass.BackwardData => geometry.FilterCount * sizeof(float),
        _ => FilterPlan.For(geometry).WorkspaceBytes,
    };

    /// <summary>y (=|+=) f(x * w + bias).</summary>
    /// <param name="frozen">Where w never changes: its packed or transformed form is kept there.</param>
    public static void Forward(
        WorkerPool pool, in Conv2DGeometry geometry, float* x, float* w, float* y, in Epilogue epilogue, byte* workspace,
        bool allowWinograd = true, FrozenValues? frozen = null)
    {
        if (IsProduct(geometry))
        {
            ProductForward(pool, geometry, x, w, y, epilogue, frozen);
            return;
        }
        if (IsDepthwise(geometry))
        {
            frozen?.Load(new PoolLoader(pool));
            DepthwiseForward(pool, geometry, x, w, y, epilogue);
            return;
        }
        if (allowWinograd && Winograd<TLanes>.Pays(geometry, ConvolutionPass.Forward))
        {
            Winograd<TLanes>.Forward(pool, geometry, x, w, y, epilogue, (float*)workspace, frozen);
            return;
        }
        Run(pool, IndirectOperands(pool, geometry, x, w, y, epilogue, workspace, frozen));
    }

    /// <summary>A forward pass through pointers to pixels, ready to run.</summary>
    private static ConvolutionOperands IndirectOperands(
        WorkerPool pool, in Conv2DGeometry geometry, float* x, float* w, float* y, in Epilogue epilogue, byte* workspace,
        FrozenValues? frozen)
    {
        int pixels = WidenedPixels(geometry);
        if (pixels > 1)
        {
            return WidenedOperands(pool, geometry, pixels, x, w, y, epilogue, (float*)workspace, frozen);
        }
        bool packed = IsPacked(geometry);
        float* filter = w;
        if (packed)
        {
            var form = new PackedFilter(pool, geometry);
            filter = frozen is null ? (float*)workspace : frozen.In(form, new PoolLoader(pool), w);
            if (frozen is null)
            {
                form.Fill(w, filter);
            }
        }
        else
        {
            frozen?.Load(new PoolLoader(pool));
        }
        ConvolutionOperands operands = ForwardOperands(geometry, x, y);
        operands.Filter = new ConvolutionFilter(
            filter, (long)geometry.KH * geometry.KW * geometry.GroupC, geometry.GroupOC, geometry.Groups, PanelWidth, packed);
        operands.Epilogue = epilogue;
        return operands;
    }

    /// <summary>
    /// dx (=|+=) f(sum over taps and filters of dy * w + bias). One stride-1 convolution of dy for each residue of the input
    /// position modulo the stride, so that no zeros between the elements of dy are multiplied.
    /// </summary>
    public static void BackwardData(
        WorkerPool pool, in Conv2DGeometry geometry, float* dy, float* w, float* dx, in Epilogue epilogue, byte* workspace,
        bool allowWinograd = true)
    {
        if (IsProduct(geometry))
        {
            ProductBackwardData(pool, geometry, dy, w, dx, epilogue);
            return;
        }
        if (IsDepthwise(geometry))
        {
            DepthwiseBackwardData(pool, geometry, dy, w, dx, epilogue);
            return;
        }
        if (allowWinograd && Winograd<TLanes>.Pays(geometry, ConvolutionPass.BackwardData))
        {
            Winograd<TLanes>.BackwardData(pool, geometry, dy, w, dx, epilogue, (float*)workspace);
            return;
        }
        if (IsScattered(geometry))
        {
            BackwardDataScattered(pool, geometry, dy, w, dx, epilogue, (float*)workspace);
            return;
        }
        for (int row = 0; row < geometry.Vertical.Stride; row++)
        {
            ConvolutionAxis vertical = ConvolutionAxis.BackwardData(geometry.Vertical, row);
            for (int column = 0; column < geometry.Horizontal.Stride && vertical.Count > 0; column++)
            {
                ConvolutionAxis horizontal = ConvolutionAxis.BackwardData(geometry.Horizontal, column);
                if (horizontal.Count > 0)
                {
                    BackwardDataResidue(pool, geometry, vertical, horizontal, dy, w, dx, epilogue, (float*)workspace);
                }
            }
        }
    }

    /// <summary>All but filter and epilogue.</summary>
    private static ConvolutionOperands ForwardOperands(in Conv2DGeometry geometry, float* x, float* y) => new()
    {
        Source = x,
        SourceSample = (nint)geometry.H * geometry.W * geometry.C,
        SourceRow = (nint)geometry.W * geometry.C,
        SourceColumn = geometry.C,
        Target = y,
        TargetSample = (nint)geometry.OH * geometry.OW * geometry.OC,
        TargetRow = (nint)geometry.OW * geometry.OC,
        TargetColumn = geometry.OC,
        Samples = geometry.N,
        Images = geometry.Depth,
        Groups = geometry.Groups,
        Depth = geometry.GroupC,
        Cols = geometry.GroupOC,
        Vertical = ConvolutionAxis.Forward(geometry.Vertical),
        Horizontal = ConvolutionAxis.Forward(geometry.Horizontal),
    };

    private static void BackwardDataResidue(
        WorkerPool pool, in Conv2DGeometry geometry, in ConvolutionAxis vertical, in ConvolutionAxis horizontal,
        float* dy, float* w, float* dx, in Epilogue epilogue, float* workspace)
    {
        if (vertical.Taps > 0 && horizontal.Taps > 0)
        {
            var pack = new ConvolutionPackBody<TLanes>(
                w, workspace, vertical, horizontal, geometry.KW, geometry.Groups, geometry.GroupC, geometry.GroupOC, PanelWidth,
                true);
            pool.Run(pack.Tasks, ref pack);
        }
        var operands = new ConvolutionOperands
        {
            Source = dy,
            SourceSample = (nint)geometry.OH * geometry.OW * geometry.OC,
            SourceRow = (nint)geometry.OW * geometry.OC,
            SourceColumn = geometry.OC,
            Target = dx,
            TargetSample = (nint)geometry.H * geometry.W * geometry.C,
            TargetRow = (nint)geometry.W * geometry.C,
            TargetColumn = geometry.C,
            Samples = geometry.N,
            Images = geometry.Depth,
            TargetsImages = true,
            Groups = geometry.Groups,
            Depth = geometry.GroupOC,
            Cols = geometry.GroupC,
            Filter = new ConvolutionFilter(
                workspace, (long)vertical.Taps * horizontal.Taps * geometry.GroupOC, geometry.GroupC, geometry.Groups, PanelWidth,
                true),
            Vertical = vertical,
            Horizontal = horizontal,
            Epilogue = epilogue,
        };
        Run(pool, operands);
    }

    private static void Run(WorkerPool pool, in ConvolutionOperands operands)
    {
        ConvolutionSplit split = ConvolutionSplit.For(pool, operands);
        var body = new IndirectBody(operands, split);
        pool.Run(split.Tasks, ref body);
    }

    /// <summary>A filter of one panel already lies as the tile wants it; packing it would cost more than it gives.</summary>
    private static bool IsPacked(in Conv2DGeometry geometry) => geometry.GroupOC > PanelWidth;

    /// <summary>The filter in panels, as forward reads it.</summary>
    private readonly struct PackedFilter(WorkerPool pool, Conv2DGeometry geometry) : IFrozenForm
    {
        public FrozenKey Key => new("filter", geometry.GroupC, geometry.OC, geometry.FilterOffset);

        public long Floats => geometry.FilterCount;

        public void Fill(float* values, float* target)
        {
            var pack = new ConvolutionPackBody<TLanes>(
                values, target, ConvolutionAxis.Forward(geometry.Vertical), ConvolutionAxis.Forward(geometry.Horizontal),
                geometry.KW, geometry.Groups, geometry.GroupC, geometry.GroupOC, PanelWidth, false);
            pool.Run(pack.Tasks, ref pack);
        }
    }
}
