using FastNN.Data;

namespace FastNN.Tests.Data;

public sealed class CifarTests
{
    private const int Record = 3073;

    [Test]
    public void Planes_become_pixels()
    {
        Dataset data = Cifar10.ReadAll([(new MemoryStream(Records(2)), "one"), (new MemoryStream(Records(1)), "two")]);
        Assert.That(data.Count, Is.EqualTo(3));
        Assert.That(data.ExampleShape.ToArray(), Is.EqualTo(new[] { 32, 32, 3 }));
        Assert.That(data.ClassNames[9], Is.EqualTo("truck"));
        Assert.That((data.LabelOf(0), data.LabelOf(1), data.LabelOf(2)), Is.EqualTo((0, 1, 0)));
        var image = new float[3072];
        data.CopyFeatures(1, image);
        for (int pixel = 0; pixel < 1024; pixel++)
        {
            for (int channel = 0; channel < 3; channel++)
                Assert.That(image[(3 * pixel) + channel], Is.EqualTo(Value(1, channel, pixel) * (1f / 255)));
        }
    }

    [Test]
    public void A_folder_is_read_with_or_without_its_usual_name()
    {
        string folder = Directory.CreateTempSubdirectory("fastnn-").FullName;
        try
        {
            Assert.That(Cifar10.IsPresent(folder), Is.False);
            Assert.That(() => Cifar10.Load(folder), Throws.InstanceOf<IOException>().With.Message.Contains("data_batch_1.bin"));
            string inner = Directory.CreateDirectory(Path.Combine(folder, "cifar-10-batches-bin")).FullName;
            for (int i = 1; i <= 5; i++)
                File.WriteAllBytes(Path.Combine(inner, $"data_batch_{i}.bin"), Records(i));
            File.WriteAllBytes(Path.Combine(inner, "test_batch.bin"), Records(4));
            foreach (string place in (string[])[folder, inner])
            {
                DatasetSplit split = Cifar10.Load(place);
                Assert.That(Cifar10.IsPresent(place), Is.True);
                Assert.That((split.Train.Count, split.Test.Count), Is.EqualTo((15, 4)));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        Assert.That(() => Cifar10.Load(folder), Throws.InstanceOf<IOException>().With.Message.Contains(folder));
    }

    [Test]
    public void Malformed_files_are_refused_at_their_fault()
    {
        byte[] wrongLabel = Records(3);
        wrongLabel[2 * Record] = 10;
        Assert.That(() => Read(wrongLabel), Throws.TypeOf<FileFormatException>()
            .With.Property("Offset").EqualTo(2 * Record).And.Message.Contains("a label from 0 to 9, got 10"));
        Assert.That(() => Read(Records(2)[..(Record + 5)]), Throws.TypeOf<FileFormatException>()
            .With.Property("Offset").EqualTo(Record).And.Message.Contains("got 5 bytes at the end"));
        Assert.That(() => Read([]), Throws.TypeOf<FileFormatException>().With.Message.Contains("an empty file"));
    }

    [Test]
    public void Any_damage_is_read_or_refused() =>
        Mutations.Check(
            Records(2), (stream, name) => Cifar10.ReadAll([(stream, name)]), 500, length => (64 << 10) + (2 * length));

    private static void Read(byte[] file) => Cifar10.ReadAll([(new MemoryStream(file), "test.bin")]);

    private static byte Value(int record, int channel, int pixel) => (byte)((record * 7) + (channel * 50) + pixel);

    private static byte[] Records(int count)
    {
        var file = new byte[count * Record];
        for (int record = 0; record < count; record++)
        {
            file[record * Record] = (byte)record;
            for (int i = 0; i < 3072; i++)
                file[(record * Record) + 1 + i] = Value(record, i / 1024, i % 1024);
        }

        return file;
    }
}
