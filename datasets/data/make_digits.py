"""Write digits.csv.gz from scikit-learn's copy of the data set; needs scikit-learn. How the file here was made.

Every row is one image: its 64 pixels (0 ... 16, row by row), then its digit. No time stamp or file name goes in, so the
same zlib writes the same bytes.
"""

import gzip
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits


def main() -> None:
    digits = load_digits()
    rows = np.column_stack([digits.data, digits.target]).astype(int)
    text = "".join(",".join(map(str, row)) + "\n" for row in rows.tolist())
    path = Path(__file__).with_name("digits.csv.gz")
    path.write_bytes(gzip.compress(text.encode("ascii"), compresslevel=9, mtime=0))
    print(f"{path}: {len(rows)} images, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
