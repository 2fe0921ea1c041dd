using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda.Tests;

/// <summary>Work that is captured once it has run twice, where the device can.</summary>
internal sealed class ReplayTests : DeviceFixture
{
    [Test]
    public void A_gpu_captures_behind_the_second_run_and_every_run_counts()
    {
        Assert.That(Runs(Gpu), Is.EqualTo(new (float, bool)[] { (1, false), (2, true), (3, true), (4, true), (5, true) }));
    }

    [Test]
    public void A_cpu_captures_nothing() =>
        Assert.That(Runs(One), Is.EqualTo(new (float, bool)[] { (1, false), (2, false), (3, false), (4, false), (5, false) }));

    [Test]
    public void What_is_captured_is_counted_and_may_not_upload()
    {
        nint block = Gpu.Allocate(sizeof(float));
        var x = new Tensor(block, DType.Float32, new Shape(1));
        void Twice()
        {
            Gpu.Memory.Fill(x, 1);
            Gpu.Memory.Fill(x, 2);
        }

        Twice();
        using (ILaunchGraph graph = Gpu.Capture(Twice)!)
        {
            Assert.That(graph.Kernels, Is.EqualTo(2));
        }

        Assert.That(
            () => Gpu.Capture(() => Gpu.Upload(new byte[sizeof(float)], x)),
            Throws.TypeOf<DeviceException>().With.Message.Contains("captured"));
        Assert.That(Read(Gpu, x), Is.EqualTo(2), "the device goes on");
        Gpu.Free(block);
    }

    /// <summary>Five runs of x += 1: x after each, and whether it is captured by then.</summary>
    private static (float Value, bool Captured)[] Runs(IDevice device)
    {
        nint block = device.Allocate(128);
        Tensor x = new(block, DType.Float32, new Shape(1)), one = new(block + 64, DType.Float32, new Shape(1));
        device.Memory.Fill(one, 1);
        using var replay = new Replay(device, () => device.Memory.Copy(one, x, accumulate: true), captures: true);
        var runs = new (float, bool)[5];
        for (int i = 0; i < runs.Length; i++)
        {
            replay.Run();
            runs[i] = (Read(device, x), replay.Graph is not null);
        }

        device.Free(block);
        return runs;
    }

    private static float Read(IDevice device, Tensor x)
    {
        var bytes = new byte[sizeof(float)];
        device.Download(x, bytes);
        return BitConverter.ToSingle(bytes);
    }
}
