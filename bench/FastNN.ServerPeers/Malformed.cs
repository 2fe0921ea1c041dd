using System.Globalization;
using System.Text;

namespace FastNN.ServerPeers;

/// <summary>Requests that are spoiled in one of many ways, the same ones for the same seed.</summary>
internal sealed class Malformed(string model, float[] example, int seed)
{
    private static readonly string[] _types = ["FP64", "INT32", "FP16", "BOOL", "BYTES", "NOPE", "", "fp32"];

    private static readonly string[] _shapes =
    [
        "[784]", "[1,783]", "[-1,784]", "[1,784,1]", "[99999999999999999999,784]", "[1,2147483648]", "[]", "\"1,784\"",
        "[1.5,784]",
    ];

    private static readonly string[] _bodies =
    [
        "", "{}", "[]", "null", "{\"inputs\":[]}", "{\"inputs\":null}", "{\"inputs\":[{}]}",
        "{\"inputs\":[{\"name\":\"input\"}]}",
        "{\"inputs\":[{\"name\":\"input\",\"shape\":[1,784],\"datatype\":\"FP32\",\"data\":[1,2,3]}]}",
        "{\"inputs\":[{\"name\":\"input\",\"shape\":[1,784],\"datatype\":\"FP32\",\"data\":[\"a\"]}]}",
        "{\"inputs\":[{\"name\":\"input\",\"shape\":[1,784],\"datatype\":\"FP32\",\"data\":[1e999]}]}",
        "{\"inputs\":[{\"name\":\"other\",\"shape\":[1,784],\"datatype\":\"FP32\",\"data\":[0]}]}",
    ];

    private static readonly string[] _paths =
    [
        "/v2/models/nobody/infer", "/v2/models/MODEL/versions/99/infer", "/v2/models/MODEL/versions/-1/infer",
        "/v2/models/%00/infer",
        "/v2/models/..%2f..%2fetc/infer", "/v2/models/MODEL/inferno", "/v3/models/MODEL/infer",
    ];

    private readonly Random _random = new(seed);
    private readonly Body _good = Requests.Binary(model, example);

    /// <summary>Makes one request of HTTP/1.1.</summary>
    /// <param name="mayPass">Whether what was changed may have left it a good request.</param>
    public byte[] Next(out bool mayPass)
    {
        mayPass = false;
        string json = Encoding.ASCII.GetString(_good.Bytes, 0, _good.HeaderLength!.Value);
        byte[] elements = _good.Bytes[_good.HeaderLength.Value..];
        switch (_random.Next(14))
        {
            case 0:
                return With(json[.._random.Next(1, json.Length)], elements);
            case 1:
                mayPass = true;
                byte[] changed = [.. _good.Bytes];
                changed[_random.Next(json.Length)] = (byte)_random.Next(256);
                return (_good with { Bytes = changed }).ToHttp1();
            case 2:
                return (_good with { HeaderLength = json.Length + _random.Next(1, 100_000) }).ToHttp1();
            case 3:
                return (_good with { HeaderLength = -_random.Next(1, 1000) }).ToHttp1();
            case 4:
                return With(json, elements[.._random.Next(elements.Length)]);
            case 5:
                return With(json, [.. elements, .. new byte[_random.Next(1, 1000)]]);
            case 6:
                var noise = new byte[_random.Next(1, 4000)];
                _random.NextBytes(noise);
                return (_good with { HeaderLength = null, Bytes = noise }).ToHttp1();
            case 7:
                return With(json.Replace("FP32", Pick(_types), StringComparison.Ordinal), elements);
            case 8:
                return With(json.Replace("[1,784]", Pick(_shapes), StringComparison.Ordinal), elements);
            case 9:
                string name = Pick(["", "Input", "x", "outputs"]);
                return With(json.Replace("\"input\"", $"\"{name}\"", StringComparison.Ordinal), elements);
            case 10:
                string nested = string.Concat(Enumerable.Repeat(Pick(["[", "{\"inputs\":", "{\"a\":["]), _random.Next(1, 5000)));
                return (_good with { HeaderLength = null, Bytes = Encoding.ASCII.GetBytes(nested) }).ToHttp1();
            case 11:
                return (_good with { HeaderLength = null, Bytes = Encoding.ASCII.GetBytes(Pick(_bodies)) }).ToHttp1();
            case 12:
                return (_good with { Path = Pick(_paths).Replace("MODEL", model, StringComparison.Ordinal) }).ToHttp1();
            default:
                return BadHttp();
        }
    }

    private byte[] With(string json, byte[] elements)
    {
        byte[] bytes = [.. Encoding.ASCII.GetBytes(json), .. elements];
        return (_good with { HeaderLength = json.Length, Bytes = bytes }).ToHttp1();
    }

    /// <summary>Requests that HTTP itself refuses, and those that its methods and encodings do.</summary>
    private byte[] BadHttp()
    {
        string length = _good.Bytes.Length.ToString(CultureInfo.InvariantCulture);
        string start = Pick([
            $"GET {_good.Path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n",
            $"PUT {_good.Path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n",
            $"POST {_good.Path} HTTP/1.1\r\nHost: 127.0.0.1\r\nno colon here\r\n\r\n",
            $"POST {_good.Path} HTTP/1.1\r\n\r\n",
            $"POST {_good.Path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}x\r\n\r\n",
            $"POST {_good.Path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
            $"POST {_good.Path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            $"\0\0\0 {_good.Path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        ]);
        return Encoding.ASCII.GetBytes(start);
    }

    private string Pick(string[] all) => all[_random.Next(all.Length)];
}
