using FastNN.Tensors;

namespace FastNN.Tests.Training;

/// <summary>Gives each test a device and a folder, and takes both back: no native block and no file of a test stays.</summary>
internal abstract class TrainingFixture
{
    private long _blocks;

    protected Device Device { get; private set; } = null!;

    protected string Folder { get; private set; } = "";

    [SetUp]
    public void SetUp()
    {
        _blocks = HostMemory.LiveBlocks;
        Device = Device.Cpu(2);
        Folder = Directory.CreateTempSubdirectory("fastnn-tests-").FullName;
    }

    [TearDown]
    public void TearDown()
    {
        Device.Dispose();
        Directory.Delete(Folder, recursive: true);
        Assert.That(HostMemory.LiveBlocks, Is.EqualTo(_blocks), "native blocks are still alive");
    }

    protected string PathOf(string name) => Path.Combine(Folder, name);
}
