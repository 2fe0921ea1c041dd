using FastNN.Cpu;
using FastNN.Kernels;
using FsCheck;
using FsCheck.Fluent;

namespace FastNN.Tests.Cpu;

[TestFixture]
public sealed class ConvolutionAxisTests
{
    /// <summary>Input, taps, stride, dilation, padding before and after, of windows that fit.</summary>
    private static Arbitrary<WindowAxis> Axes() =>
        (from input in Gen.Choose(1, 24)
         from taps in Gen.Choose(1, 7)
         from stride in Gen.Choose(1, 7)
         from dilation in Gen.Choose(1, 7)
         from before in Gen.Choose(0, 9)
         from after in Gen.Choose(0, 9)
         from same in Gen.Elements(true, false)
         where same || ((taps - 1) * dilation) + 1 <= input + before + after
         select same
             ? WindowAxis.Same("test", "size", input, taps, stride, dilation)
             : WindowAxis.Create("test", "size", input, taps, stride, dilation, before, after)).ToArbitrary();

    private static IEnumerable<(int Input, int Tap, int Output)> Meetings(WindowAxis axis)
    {
        for (int output = 0; output < axis.Output; output++)
        {
            for (int tap = 0; tap < axis.Taps; tap++)
            {
                int input = (output * axis.Stride) - axis.PadBefore + (tap * axis.Dilation);
                if (input >= 0 && input < axis.Input)
                {
                    yield return (input, tap, output);
                }
            }
        }
    }

    [Test]
    public void ValidTapsAndOutputsAreThoseThatMeetTheInput() => Prop.ForAll(Axes(), axis =>
    {
        HashSet<(int, int, int)> meetings = [.. Meetings(axis)];
        for (int output = 0; output < axis.Output; output++)
        {
            (int first, int end) = axis.ValidTaps(output);
            for (int tap = 0; tap < axis.Taps; tap++)
            {
                int input = axis.Start(output) + (tap * axis.Dilation);
                Assert.That(tap >= first && tap < end, Is.EqualTo(meetings.Contains((input, tap, output))));
            }
        }
        for (int tap = 0; tap < axis.Taps; tap++)
        {
            (int first, int end) = axis.ValidOutputs(tap);
            for (int output = 0; output < axis.Output; output++)
            {
                int input = axis.Start(output) + (tap * axis.Dilation);
                Assert.That(output >= first && output < end, Is.EqualTo(meetings.Contains((input, tap, output))));
            }
        }
    }).QuickCheckThrowOnFailure();

    [Test]
    public void WindowsOverAnInputAreThoseThatMeetIt() => Prop.ForAll(Axes(), axis =>
    {
        var found = new HashSet<(int, int, int)>();
        for (int input = 0; input < axis.Input; input++)
        {
            (int first, int end) = axis.Windows(input);
            for (int output = first; output < end; output++)
            {
                int tap = axis.TapOf(input, output);
                if (tap >= 0)
                {
                    Assert.That(found.Add((input, tap, output)));
                }
            }
        }
        Assert.That(found.SetEquals(Meetings(axis)));
    }).QuickCheckThrowOnFailure();

    [Test]
    public void ResiduesOfBackwardDataMeetEachPairOnce() => Prop.ForAll(Axes(), axis =>
    {
        var found = new HashSet<(int, int, int)>();
        var covered = new HashSet<int>();
        for (int residue = 0; residue < axis.Stride; residue++)
        {
            ConvolutionAxis part = ConvolutionAxis.BackwardData(axis, residue);
            for (int i = 0; i < part.Count; i++)
            {
                int input = part.TargetFirst + (i * part.TargetStep);
                Assert.That(covered.Add(input));
                (int first, int end) = part.ValidTaps(i);
                for (int k = first; k < end; k++)
                {
                    int output = part.Start + (i * part.Step) + (k * part.TapStep);
                    Assert.That(found.Add((input, part.FilterFirst + (k * part.FilterStep), output)));
                }
            }
        }
        Assert.That(covered, Is.EquivalentTo(Enumerable.Range(0, axis.Input)));
        Assert.That(found.SetEquals(Meetings(axis)));
    }).QuickCheckThrowOnFailure();

    [Test]
    public void SamePaddingGivesCeilOfTheQuotientAndNeedsNoMore() => Prop.ForAll(Axes(), axis =>
    {
        WindowAxis same = WindowAxis.Same("test", "size", axis.Input, axis.Taps, axis.Stride, axis.Dilation);
        Assert.That(same.Output, Is.EqualTo((axis.Input + axis.Stride - 1) / axis.Stride));
        Assert.That(same.PadAfter - same.PadBefore, Is.InRange(0, 1));
        int span = ((same.Output - 1) * same.Stride) + same.Extent;
        Assert.That(same.PadBefore + same.PadAfter, Is.EqualTo(Math.Max(0, span - same.Input)));
        if (axis.Stride == 1)
        {
            // PyTorch: total dilation*(taps - 1), the smaller half at the left.
            Assert.That(same.PadBefore, Is.EqualTo(axis.Dilation * (axis.Taps - 1) / 2));
        }
    }).QuickCheckThrowOnFailure();

    [Test]
    public void CeilModeNeverStartsAWindowBeyondTheInput() => Prop.ForAll(Axes(), axis =>
    {
        WindowAxis ceil = WindowAxis.Create(
            "test", "size", axis.Input, axis.Taps, axis.Stride, axis.Dilation, axis.PadBefore, axis.PadAfter, ceil: true);
        long span = (long)axis.Input + axis.PadBefore + axis.PadAfter - axis.Extent;
        long expected = (Math.Max(0, span + axis.Stride - 1) / axis.Stride) + 1;
        if ((expected - 1) * axis.Stride >= axis.Input + axis.PadBefore)
        {
            expected--;
        }
        Assert.That(ceil.Output, Is.EqualTo(expected));
        if (Math.Max(axis.PadBefore, axis.PadAfter) <= axis.Extent / 2)
        {
            Assert.That(ceil.Start(ceil.Output - 1), Is.LessThan(ceil.Input));
        }
    }).QuickCheckThrowOnFailure();

    [TestCase(0, 3, 1, 1, 0, 0)]
    [TestCase(5, 0, 1, 1, 0, 0)]
    [TestCase(5, 3, 0, 1, 0, 0)]
    [TestCase(5, 3, 1, 0, 0, 0)]
    [TestCase(5, 3, 1, 1, -1, 0)]
    [TestCase(5, 6, 1, 1, 0, 0)]
    [TestCase(5, 3, 1, 3, 0, 1)]
    [TestCase(5, 2, 1, int.MaxValue, 0, 0)]
    [TestCase(int.MaxValue, 1, 1, 1, 1, 0)]
    public void SizesThatDoNotFitAreRefusedByName(int input, int taps, int stride, int dilation, int before, int after) =>
        Assert.That(
            () => WindowAxis.Create("conv2d", "height", input, taps, stride, dilation, before, after),
            Throws.TypeOf<ShapeException>().With.Message.StartsWith("conv2d:").And.Message.Contains("height"));

    [Test]
    public void GeometriesRefuseWhatDoesNotDivideOrFit()
    {
        Assert.That(
            () => Conv2DGeometry.Create(1, 8, 8, 6, 8, 3, 3, Padding2D.Valid, groups: 4),
            Throws.TypeOf<ShapeException>().With.Message.Contains("4 groups do not divide 6"));
        Assert.That(() => Conv2DGeometry.Create(-1, 8, 8, 6, 8, 3, 3, Padding2D.Valid), Throws.TypeOf<ShapeException>());
        Assert.That(
            () => Conv2DGeometry.Create(1, 4, 4, 1, 1, 5, 5, Padding2D.Valid),
            Throws.TypeOf<ShapeException>().With.Message.Contains("larger than the input's height of 4"));
        Assert.That(
            () => Conv2DGeometry.Create(int.MaxValue, int.MaxValue, 8, 6, 8, 3, 3, Padding2D.Valid),
            Throws.TypeOf<ShapeException>().With.Message.Contains("too many elements"));
        Assert.That(
            () => Pool2DGeometry.Max(1, 8, 8, 1, 2, 2, 2, 2, Padding2D.Symmetric(2, 0)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("exceeds half"));
        Assert.That(
            () => Pool2DGeometry.Max(1, 1, 1, 1, 2, 1, 1, 1, Padding2D.Same, dilationH: 3),
            Throws.TypeOf<ShapeException>().With.Message.Contains("wholly in the padding"));
        Assert.That(
            () => Pool2DGeometry.Average(1, 8, 8, 1, 2, 2, 2, 2, Padding2D.Valid, divisorOverride: -1),
            Throws.TypeOf<ShapeException>());
    }
}
