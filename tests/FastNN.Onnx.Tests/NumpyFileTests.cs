using System.IO.Compression;
using System.Text;

namespace FastNN.Onnx.Tests;

/// <summary>NumPy's files: what numpy.save writes is read, what is written numpy.load reads, and damage is named.</summary>
public sealed class NumpyFileTests
{
    private string _folder = null!;

    [SetUp]
    public void Make() => _folder = Directory.CreateTempSubdirectory("fastnn-npy").FullName;

    [TearDown]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    private static byte[] File(string header, byte[] data, byte major = 1)
    {
        byte[] text = Encoding.UTF8.GetBytes(header);
        byte[] length = major == 1
            ? BitConverter.GetBytes((ushort)text.Length)
            : BitConverter.GetBytes((uint)text.Length);
        return [0x93, .. "NUMPY"u8, major, 0, .. length, .. text, .. data];
    }

    private static OnnxTensor Read(byte[] bytes) => NumpyFile.Read(new MemoryStream(bytes));

    private static IEnumerable<OnnxTensor> Tensors()
    {
        yield return OnnxTensor.Create([1.5f, -2, float.NaN, 4, 5, 6], 2, 3);
        yield return OnnxTensor.Create([1.5, double.NegativeInfinity], 2);
        yield return OnnxTensor.Create([(Half)0.5, (Half)(-3)], 1, 2, 1);
        yield return OnnxTensor.Create([long.MinValue, 7], 2);
        yield return OnnxTensor.Create([(int)-5], []);
        yield return OnnxTensor.Create([(short)-5, (short)3], 2);
        yield return OnnxTensor.Create([(sbyte)-5], 1);
        yield return OnnxTensor.Create([(byte)250, (byte)1], 2);
        yield return OnnxTensor.Create([(ushort)65535], 1);
        yield return OnnxTensor.Create([uint.MaxValue], 1);
        yield return OnnxTensor.Create([ulong.MaxValue], 1);
        yield return OnnxTensor.Create([true, false, true], 3, 1);
        yield return OnnxTensor.Create(["", "häß", "\U0001F600!"], 3);
        yield return OnnxTensor.Create(Array.Empty<float>(), 0, 4);
    }

    [TestCaseSource(nameof(Tensors))]
    public void Tensors_come_back(OnnxTensor tensor)
    {
        string path = Path.Combine(_folder, "x.npy");
        NumpyFile.Write(path, tensor);
        OnnxTensor read = NumpyFile.Read(path);
        Assert.That(read.ToString(), Is.EqualTo(tensor.ToString()));
        Assert.That(read.Data, Is.EqualTo(tensor.Data));
        byte[] bytes = System.IO.File.ReadAllBytes(path);
        Assert.That((bytes[6], (10 + BitConverter.ToUInt16(bytes, 8)) % 64), Is.EqualTo(((byte)1, 0)));
    }

    [Test]
    public void Archives_come_back()
    {
        string path = Path.Combine(_folder, "x.npz");
        Dictionary<string, OnnxTensor> arrays = Tensors().Select((tensor, i) => (tensor, i))
            .ToDictionary(pair => $"array_{pair.i}", pair => pair.tensor);
        NumpyFile.WriteArchive(path, arrays);
        IReadOnlyDictionary<string, OnnxTensor> read = NumpyFile.ReadArchive(path);
        Assert.That(read.Keys, Is.EquivalentTo(arrays.Keys));
        foreach ((string name, OnnxTensor tensor) in arrays)
        {
            Assert.That(read[name].Data, Is.EqualTo(tensor.Data), name);
        }
    }

    [Test]
    public void Columns_first_and_the_other_byte_order_are_turned()
    {
        // [[1, 2, 3], [4, 5, 6]] column by column, most significant byte first.
        byte[] data = [0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6];
        OnnxTensor read = Read(File("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }          \n", data));
        Assert.That(read.Values<short>().ToArray(), Is.EqualTo(new short[] { 1, 2, 3, 4, 5, 6 }));
        Assert.That(read.Dimensions.ToArray(), Is.EqualTo(new[] { 2, 3 }));
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public void All_versions_are_read(byte major) =>
        Assert.That(
            Read(File("{\"shape\":(2,),\"fortran_order\":False,\"descr\":\"|u1\"}\n", [7, 8], major)).Values<byte>().ToArray(),
            Is.EqualTo(new byte[] { 7, 8 }));

    private const string Good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n";

    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", 61, "an extent from 0 on")]
    [TestCase("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", 8, "descr '|O'")]
    [TestCase("{'descr': '<c8', 'fortran_order': False, 'shape': (2,), }", 8, "descr '<c8'")]
    [TestCase("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", 20, "structured types are not supported")]
    [TestCase("{'descr': '<f4', 'fortran_order': 1, 'shape': (2,), }", 44, "True or False")]
    [TestCase("{'descr': '<f4', 'fortran_order': False}", 50, "a header without one of them")]
    [TestCase("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", 36, "'descr' again")]
    [TestCase("{'descr': '<f4', 'more': 1}", 35, "'more'")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999, 99999999), }", 8, "at most")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x", 68, "the end of the header")]
    [TestCase("{'descr': '<f4", 20, "a type such as '<f4'")]
    [TestCase("{'descr': '<U0', 'fortran_order': False, 'shape': (2000000000,), }", 8, "descr '<U0'")]
    public void Bad_headers_are_named_with_their_place(string header, long offset, string message)
    {
        var error = Assert.Throws<FileFormatException>(() => Read(File(header, new byte[8])))!;
        Assert.That(error.Message, Does.Contain(message));
        Assert.That(error.Offset, Is.EqualTo(offset));
    }

    [Test]
    public void Short_long_and_foreign_files_are_refused()
    {
        byte[] good = File(Good, new byte[8]);
        Assert.That(Read(good).Count, Is.EqualTo(2));
        for (int length = 0; length < good.Length; length++)
        {
            Assert.That(() => Read(good[..length]), Throws.TypeOf<FileFormatException>(), $"{length}");
        }

        Assert.That(() => Read([.. good, 0]), Throws.TypeOf<FileFormatException>().With.Message.Contain("more bytes"));
        Assert.That(() => Read([.. "PK\u0003\u0004 and so on"u8]),
            Throws.TypeOf<FileFormatException>().With.Message.Contain("NUMPY"));
        good[6] = 4;
        Assert.That(() => Read(good), Throws.TypeOf<FileFormatException>().With.Message.Contain("4.0"));
        string path = Path.Combine(_folder, "short.npy");
        System.IO.File.WriteAllBytes(path, File("{'descr': '<f8', 'fortran_order': False, 'shape': (250000000,), }\n",
            new byte[16]));
        Assert.That(() => NumpyFile.Read(path),
            Throws.TypeOf<FileFormatException>().With.Message.Contain("2000000000 bytes of elements, got 16"));
    }

    [Test]
    public void A_stream_that_claims_much_takes_no_more_memory_than_it_brings()
    {
        byte[] claims = File("{'descr': '<f8', 'fortran_order': False, 'shape': (200000000,), }\n", new byte[1000]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => Read(claims), Throws.TypeOf<FileFormatException>());
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(4 << 20));
    }

    [Test]
    public void Archives_that_are_none_or_hold_other_things_are_refused()
    {
        string path = Path.Combine(_folder, "x.npz");
        System.IO.File.WriteAllBytes(path, [1, 2, 3]);
        Assert.That(() => NumpyFile.ReadArchive(path),
            Throws.TypeOf<FileFormatException>().With.Message.Contain("a zip archive"));
        using (var archive = new ZipArchive(System.IO.File.Create(path), ZipArchiveMode.Create))
        {
            archive.CreateEntry("readme.txt").Open().Dispose();
        }

        Assert.That(() => NumpyFile.ReadArchive(path), Throws.TypeOf<FileFormatException>().With.Message.Contain("'readme.txt'"));
    }

    [Test]
    public void Types_that_numpy_lacks_are_refused_before_a_file_is_made()
    {
        string path = Path.Combine(_folder, "x.npy");
        var narrow = new OnnxTensor(OnnxElementType.BFloat16, [1], new ushort[1]);
        Assert.That(() => NumpyFile.Write(path, narrow), Throws.TypeOf<NotSupportedException>().With.Message.Contain("BFLOAT16"));
        Assert.That(System.IO.File.Exists(path), Is.False);
    }

    [Test]
    public void Damaged_bytes_never_break_the_reader()
    {
        var random = new Random(7);
        byte[] good = File(Good, new byte[8]);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] damaged = (byte[])good.Clone();
            for (int k = 0; k <= i % 3; k++)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            try
            {
                Read(damaged);
            }
            catch (FileFormatException)
            {
            }
        }
    }
}
